"""The story of the demo, told by the command on the synthesized template and real training."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

METRICS = {"AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy"}


@pytest.fixture(scope="module")
def story(run_demo: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Run the demo once for all tests of this module."""
    return run_demo()


def test_the_first_model_goes_live_when_it_reaches_the_floor(story: dict[str, Any]) -> None:
    """Without a champion only the floor counts, and the notice says BOOTSTRAP."""
    first = story["iterations"][0]
    assert first["verdict"] == "PROMOTE"
    assert first["evaluated_model"] is None
    assert first["evaluated_metrics"] is None
    assert set(first["trained_metrics"]) == METRICS
    assert any("BOOTSTRAP" in notice["subject"] for notice in story["notices"])


def test_a_better_model_goes_live_when_more_data_comes(story: dict[str, Any]) -> None:
    """The second iteration evaluates the first model and promotes its own."""
    first, second = story["iterations"][:2]
    assert second["verdict"] == "PROMOTE"
    assert second["evaluated_model"] == first["trained_model"]
    gain = (
        second["trained_metrics"]["AverageF1Score"] - second["evaluated_metrics"]["AverageF1Score"]
    )
    assert gain >= 0.005


def test_a_worse_model_is_kept_out_when_the_rows_are_mislabeled(story: dict[str, Any]) -> None:
    """The champion stays, and people are told that the rows are in the flywheel now."""
    second, third = story["iterations"][1:3]
    assert third["verdict"] == "REJECT"
    assert third["evaluated_model"] == second["trained_model"] == story["active_model"]
    assert any(rule["outcome"] == "FAIL" for rule in third["rules"])
    rejection = next(notice for notice in story["notices"] if "REJECTED" in notice["subject"])
    assert f"Live now: {story['active_model']}" in rejection["body"]
    words = " ".join(rejection["body"].split())
    assert "stay in the flywheel" in words
    assert "`flywheel withdraw tickets --batch 3" in words


def test_the_rows_are_gone_when_they_were_taken_back(story: dict[str, Any]) -> None:
    """The flywheel is rebuilt without them, and its model is judged against what is live."""
    second, third, fourth = story["iterations"][1:4]
    assert fourth["evaluated_model"] == second["trained_model"]
    metric = "AverageF1Score"
    assert fourth["trained_metrics"][metric] > third["trained_metrics"][metric]
    subjects = [notice["subject"] for notice in story["notices"]]
    assert "[local] tickets: WITHDRAWN 1 upload, TAINTED" in subjects
    assert "[local] tickets: REBUILD to generation 2 requested" in subjects


def test_a_gain_is_held_when_the_test_documents_are_few(story: dict[str, Any]) -> None:
    """Both models answer; what would end the hold is told by a number and a label."""
    first, held = story["iterations"][4:6]
    assert (first["flywheel"], first["verdict"]) == ("tickets-few", "PROMOTE")
    assert (held["flywheel"], held["verdict"]) == ("tickets-few", "HOLD")
    accuracy = "AverageAccuracy"
    assert held["trained_metrics"][accuracy] > held["evaluated_metrics"][accuracy]
    (rule,) = [rule for rule in held["rules"] if rule["outcome"] == "UNKNOWN"]
    assert (rule["metric"], rule["documents"]) == (accuracy, 30)
    assert rule["p_value"] > 0.05
    advice = re.compile(r"about [\d,]+ more test documents, drawn at random,")
    assert advice.search(rule["reason"])
    letter = next(each for each in story["notices"] if "tickets-few: HELD" in each["subject"])
    assert advice.search(" ".join(letter["body"].split()))


def test_a_held_model_goes_live_when_more_test_documents_show_it(story: dict[str, Any]) -> None:
    """The same iteration is judged again, by answers to the larger test set."""
    held, again = story["iterations"][5:]
    assert again["id"] == held["id"]
    assert again["verdict"] == "PROMOTE"
    (rule,) = [rule for rule in again["rules"] if rule["metric"] == "AverageAccuracy"]
    assert rule["documents"] > 300
    assert rule["p_value"] <= 0.05
    subjects = [notice["subject"] for notice in story["notices"]]
    assert "[local] tickets-few: STARTED batch 3: batch 2 is judged again" in subjects


def test_a_broken_file_is_refused_when_it_is_dropped(story: dict[str, Any]) -> None:
    """It is refused with its lines, by a notice, and no iteration was started for it."""
    broken = story["uploads"][-1]
    assert broken["state"] == "REFUSED"
    assert any("line 1: looks like a header" in reason for reason in broken["reasons"])
    assert len({iteration["id"] for iteration in story["iterations"]}) == 6
    refusal = next(notice for notice in story["notices"] if "REFUSED" in notice["subject"])
    assert "line 8: empty text" in refusal["body"]


def test_the_ids_are_the_services_when_the_story_is_read(story: dict[str, Any]) -> None:
    """Iterations are named by their start in UTC and models by their ARN."""
    for iteration in story["iterations"]:
        assert len(iteration["id"]) == len("20261124T034953Z")
        assert iteration["status"] == "COMPLETED"
        assert iteration["trained_model"].startswith("arn:aws:comprehend:")
    assert story["flywheel"] == "tickets"
    assert story["elapsed_seconds"] > 0

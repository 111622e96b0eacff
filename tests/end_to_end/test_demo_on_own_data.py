"""The same story on data of the user's own."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.demo.sample_tickets import generate_tickets

pytestmark = pytest.mark.slow

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

Demo = Callable[..., dict[str, Any]]


def test_one_csv_is_enough_when_there_is_no_test_set(tmp_path: Path, run_demo: Demo) -> None:
    """A fifth of it becomes the test set, and three iterations are judged."""
    folder = tmp_path / "My Tickets (2026)"
    folder.mkdir()
    with (folder / "all.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(generate_tickets(600, seed=3))
    story = run_demo("--data", str(folder))
    assert len(story["iterations"]) == 6
    assert story["iterations"][0]["verdict"] == "PROMOTE"
    assert story["iterations"][2]["verdict"] != "PROMOTE"
    first, second, _, rebuilt = story["iterations"][:4]
    assert story["active_model"] in {
        iteration["trained_model"] for iteration in (first, second, rebuilt)
    }


def test_nothing_is_judged_again_when_more_data_made_the_model_worse(
    tmp_path: Path, run_demo: Demo
) -> None:
    """Two labels that no text tells apart: the act for a held model is left out, no other."""
    texts = [text for _, text in generate_tickets(1200, seed=11)]
    with (tmp_path / "all.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            (random.Random(text).choice(["HAM", "SPAM"]), text) for text in texts
        )
    story = run_demo("--data", str(tmp_path))
    outcomes = {act["title"].partition(". ")[2]: act for act in story["acts"]}
    assert outcomes["Few test documents"]["outcome"] == "REJECTED"
    assert "REJECTED" in outcomes["More test documents"]["left_out"]
    assert all(act["left_out"] is None for act in story["acts"] if "More test" not in act["title"])
    assert story["uploads"][-1]["state"] == "REFUSED"


def test_documents_may_have_several_labels_when_the_task_says_so(
    tmp_path: Path, run_demo: Demo
) -> None:
    """Each half of a text has its own label; the harmful file is never promoted."""
    tickets = generate_tickets(800, seed=5)
    folder = tmp_path / "several"
    folder.mkdir()
    with (folder / "all.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            ("~".join(sorted({one, other})), f"{text}; {more}")
            for (one, text), (other, more) in zip(tickets[::2], tickets[1::2], strict=True)
        )
    story = run_demo("--data", str(folder), "--task", "multi-label", "--delimiter", "~")
    verdicts = [iteration["verdict"] for iteration in story["iterations"]]
    assert len(verdicts) == 4
    assert verdicts[0] == "PROMOTE"
    assert verdicts[2] != "PROMOTE"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real labeled sets are not here")
def test_a_recognizer_is_judged_when_the_task_is_entities(run_demo: Demo) -> None:
    """The pair of files is one upload; annotations in the wrong places do harm that is seen."""
    story = run_demo("--data", str(SHARED / "ncbi_disease"), "--task", "entities")
    verdicts = [iteration["verdict"] for iteration in story["iterations"]]
    assert verdicts[:2] == ["PROMOTE", "PROMOTE"]
    assert verdicts[2] != "PROMOTE"
    assert ":entity-recognizer/" in story["active_model"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real labeled sets are not here")
@pytest.mark.parametrize(
    ("name", "second"), [("banking77", {"PROMOTE"}), ("sms_spam", {"PROMOTE", "REJECT", "HOLD"})]
)
def test_real_data_is_judged_when_the_demo_runs_on_it(
    name: str, second: set[str], run_demo: Demo
) -> None:
    """More real data promotes where it helps, and mislabeled data never does."""
    story = run_demo("--data", str(SHARED / name))
    verdicts = [iteration["verdict"] for iteration in story["iterations"]]
    assert verdicts[0] == "PROMOTE"
    assert verdicts[1] in second
    assert verdicts[2] != "PROMOTE"
    # The challenger of the few documents goes live once more of them show it.
    assert verdicts[4:] == ["PROMOTE", "HOLD", "PROMOTE"]
    assert all(iteration["rules"] for iteration in story["iterations"])

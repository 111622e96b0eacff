"""A verdict made again from rows and answers that are kept, on real clients."""

import json
from typing import Any

import pytest

from adapters.clients import client
from application.comparison.stored_answers import AnswersMissingError
from console.record.derived_inputs import derive_inputs
from console.record.replay import first_difference, replayed
from tests.functions.cloud import STAGING, VERDICTS
from tests.functions.world import NAME, World, documents

pytestmark = pytest.mark.slow


@pytest.fixture
def judged(guarded: World) -> World:
    """Have a verdict by both models' answers."""
    guarded.compare()
    guarded.await_answers()
    guarded.compare()
    return guarded


def kept(number: int = 1) -> str:
    """Return a verdict's document as it is kept."""
    answer = client("s3").get_object(Bucket=VERDICTS, Key=f"verdicts/{NAME}/{number}.json")
    return answer["Body"].read().decode()


def again(world: World, document: str) -> str:
    """Return the document that follows now."""
    services, s3 = world.services, client("s3")
    known, values = services.flywheel(NAME), json.loads(document)
    listed = s3.list_objects_v2(Bucket=VERDICTS, Prefix=f"verdicts/{NAME}/")["Contents"]
    bodies = {each["Key"]: s3.get_object(Bucket=VERDICTS, Key=each["Key"]) for each in listed}
    derived = derive_inputs(
        values,
        {key: body["Body"].read().decode() for key, body in bodies.items()},
        services.ledger.audit.entries(NAME),
        services.staging,
        services.shape(known, world.flywheel_arn),
    )
    config = services.task_config(world.flywheel_arn)
    return replayed(values, services.staging, known, lambda: config, derived)


def changed(document: str, *path: str | int, value: Any) -> str:
    """Return a document with another value in one place."""
    values = inner = json.loads(document)
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def test_a_verdict_is_the_same_when_it_is_made_again(judged: World) -> None:
    """Bit for bit, resampled bounds too, since the seed follows from what is compared."""
    document = kept()
    assert json.loads(document)["evidence"]["paired"]["comparisons"]
    assert again(judged, document) == document


def test_a_verdict_is_the_same_when_the_test_set_was_replaced_since(judged: World) -> None:
    """What it was made from is kept under its own hash."""
    document = kept()
    judged.close()
    judged.services.ledger.flywheels.ask_to_freeze(judged.row, judged.now())
    judged.upload("more.csv", documents(8, first=400), kind="test")
    judged.upload("tuesday.csv", documents(8, first=50))
    judged.sealed(2)
    judged.start(2)
    assert judged.row.test_set is not None
    assert judged.row.test_set.sha256 != json.loads(document)["evidence"]["test_set"]["sha256"]
    assert again(judged, document) == document


def test_a_verdict_is_the_same_when_it_was_made_from_averages_alone(live_world: World) -> None:
    """It needs nothing but itself."""
    live_world.upload("test.csv", documents(8, first=200), kind="test")
    live_world.upload("monday.csv", documents(8))
    live_world.trained()
    live_world.compare()
    document = kept()
    assert json.loads(document)["evidence"]["paired"] is None
    assert again(live_world, document) == document


def test_the_object_is_named_when_answers_were_changed(judged: World) -> None:
    """One answer that is another is found by the object's hash."""
    document = kept()
    named = json.loads(document)["evidence"]["paired"]["predictions"][1]["key"]
    before = "\n".join(judged.lines(named)) + "\n"
    turned = before.replace('["billing"]', '["delivery"]', 1)
    assert turned != before
    client("s3").put_object(Bucket=STAGING, Key=named, Body=turned.encode())
    with pytest.raises(AnswersMissingError, match=f"{named} was changed"):
        again(judged, document)


@pytest.mark.parametrize("what", ["rows.csv", "answers"])
def test_the_object_is_named_when_it_is_gone(judged: World, what: str) -> None:
    """What cannot be read proves nothing."""
    document = kept()
    predictions = json.loads(document)["evidence"]["paired"]["predictions"]
    key = predictions[0]["key"]
    if what == "rows.csv":
        key = f"{key.rpartition('/')[0]}/rows.csv"
    client("s3").delete_object(Bucket=STAGING, Key=key)
    with pytest.raises(AnswersMissingError, match=f"{key} is not there"):
        again(judged, document)


def test_a_verdict_is_refused_when_a_row_was_changed(judged: World) -> None:
    """Rows are those of the hash, or none."""
    (key,) = [key for key in judged.keys(f"answers/{NAME}/") if key.endswith("rows.csv")]
    client("s3").put_object(Bucket=STAGING, Key=key, Body=b"billing,another text\n")
    with pytest.raises(AnswersMissingError, match="not those of the test set"):
        again(judged, kept())


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("evidence", "test_set", "looks"), 9, "evidence.test_set.looks: 9 is kept, 0 follows"),
        (("evidence", "test_set", "groups"), 9, "evidence.test_set.groups: 9 is kept"),
        (("evidence", "kind"), "entities", "evidence.kind"),
        (("inputs", "iteration", "trained_metrics", "AverageF1Score"), 0.5, "challenger"),
        (("evidence", "champion", "AverageRecall"), 0.125, "champion.AverageRecall: 0.125 is kept"),
        (("evidence", "paired", "fixed"), 99, "paired.fixed: 99 is kept"),
        (("evidence", "paired", "seed"), 1, "paired.seed: 1 is kept"),
        (("decision",), "HOLD", 'decision: "HOLD" is kept, "PROMOTE" follows'),
        (("policy", "margin"), 0.19, "policy_sha256"),
        (("rules", 0, "outcome"), "FAIL", "rules[0].outcome"),
    ],
)
def test_the_first_path_is_named_when_the_document_was_changed(
    judged: World, path: tuple[str | int, ...], value: Any, named: str
) -> None:
    """Whatever stands in it and follows from something else."""
    other = changed(kept(), *path, value=value)
    assert named in (first_difference(other, again(judged, other)) or "")

"""Rules about labels, by the service's own values: which count, and what keeps them away."""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from adapters.clients import client
from comprehend_engine.clock import DrivenClock
from console.record.replay import replayed
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.evidence import MeasuredLabels
from flywheel.evaluation.verdict import Verdict
from tests.functions.champions import changed
from tests.functions.cloud import LAKE, VERDICTS, Cloud, altering, answering, seeing
from tests.functions.compare_models.conftest import TESTED
from tests.functions.world import (
    ANSWERS_WANTED,
    NAME,
    World,
    documents,
    in_letters,
    running_world,
)

GUARDED = {"evidence": "paired", "critical_labels": ["CITY"], "margin": 0.3}
"""A critical type, and an average that may not get much worse."""

CITIES = ("Paris", "Rome", "Oslo", "Bern", "Lima", "Cairo", "Quito", "Delhi")
PEOPLE = ("Ann", "Bob", "Eve", "Max", "Ida", "Tom", "Zoe", "Lea")
DESCRIBE = "DescribeEntityRecognizer"


def mentions(count: int, *, first: int = 0, known: int = len(CITIES)) -> tuple[str, str]:
    """Make documents with a person and a city each, of the first `known` ones: both files.

    Which comes first changes, so that only who has seen a name knows what it is.
    """
    lines, found = [], ["File,Line,Begin Offset,End Offset,Type"]
    for line, number in enumerate(range(first, first + count)):
        person, city = PEOPLE[number % known], CITIES[number * 3 % known]
        both = f"{person} and {city}" if number % 2 else f"{city} and {person}"
        text = f"about {both} in {in_letters(number)}"
        lines.append(text)
        for name, kind in ((person, "PERSON"), (city, "CITY")):
            begin = text.index(f" {name} ") + 1
            found.append(f"documents.txt,{line},{begin},{begin + len(name)},{kind}")
    return "\n".join(lines) + "\n", "\n".join(found) + "\n"


def upload(world: World, folder: str, given: tuple[str, str], kind: str = "train") -> None:
    """Drop both files and register them."""
    for name, text in zip(("documents.txt", "annotations.csv"), given, strict=True):
        world.register(world.put(f"{NAME}/{kind}/{folder}/{name}", text.encode()))


def carried_out(world: World, number: int) -> dict[str, Any]:
    """Train, compare and close a batch; returns what the comparison said."""
    world.trained(number)
    said = world.compare(number)
    world.close(number)
    return said


@pytest.fixture
def entities(cloud: Cloud, clock: DrivenClock) -> Iterator[World]:
    """Have a recognizer whose champion was measured on the frozen test set, and more to learn."""
    with running_world(cloud, clock, entity_types=["PERSON", "CITY"]) as world:
        world.configure(policy={**GUARDED, "comparison": "non-inferiority"})
        upload(world, "tests", mentions(60, first=1000), "test")
        upload(world, "monday", mentions(40, known=1))
        assert carried_out(world, 1) == {"outcome": BatchOutcome.PROMOTED}
        upload(world, "tuesday", mentions(40, first=100))
        world.trained(2)
        world.cloud.told()
        yield world


def verdict(world: World, number: int = 2) -> Verdict:
    """Return a stored verdict."""
    stored = world.services.ledger.verdicts.get(world.batch(number))
    assert stored is not None
    return stored.verdict


def labels(world: World, number: int = 2) -> MeasuredLabels:
    """Return what a stored verdict knows of labels."""
    found = verdict(world, number).evidence.labels
    assert found is not None
    return found


def reasons(world: World, number: int = 2) -> str:
    """Return why a verdict left the critical label open."""
    (told,) = [rule.reason for rule in verdict(world, number).outcomes if rule.label]
    return told


def asked(world: World, number: int = 2) -> str:
    """Compare, see that both models are asked, and then that the answers are waited for no more."""
    assert len(world.compare(number)["jobs"]) > 0
    world.compare(number, is_waited_for=True)
    return reasons(world, number)


def test_a_critical_type_is_settled_by_averages_alone_when_both_have_the_same_test_set(
    entities: World,
) -> None:
    """No job is started, and the values are those that the service tells, as parts of 1."""
    with seeing("comprehend", "StartEntitiesDetectionJob") as jobs:
        assert entities.compare(2) == {"outcome": BatchOutcome.PROMOTED}
    assert jobs == []
    found = labels(entities)
    assert (found.missing, verdict(entities).evidence.paired) == ("", None)
    assert found.champion is not None
    assert found.challenger is not None
    for model, of in (
        (verdict(entities).evidence.champion_arn, found.champion),
        (verdict(entities).evidence.challenger_arn, found.challenger),
    ):
        answer = client("comprehend").describe_entity_recognizer(EntityRecognizerArn=str(model))
        metadata = answer["EntityRecognizerProperties"]["RecognizerMetadata"]
        told = {each["Type"]: each["EvaluationMetrics"] for each in metadata["EntityTypes"]}
        assert set(of) == {"CITY"}
        assert of["CITY"]["F1Score"] == pytest.approx(told["CITY"]["F1Score"] / 100)
    assert found.champion["CITY"]["F1Score"] < found.challenger["CITY"]["F1Score"]


@pytest.mark.slow
def test_the_verdict_is_the_same_when_it_is_made_again(entities: World) -> None:
    """Bit for bit, from the document alone."""
    entities.compare(2)
    answer = client("s3").get_object(Bucket=VERDICTS, Key=f"verdicts/{NAME}/2.json")
    document = answer["Body"].read().decode()
    services = entities.services
    again = replayed(json.loads(document), services.staging, services.flywheel(NAME), lambda: {})
    assert json.loads(document)["evidence"]["labels"]["champion"]["CITY"]
    assert again == document


@pytest.mark.slow
def test_a_challenger_is_rejected_when_a_critical_type_got_worse(entities: World) -> None:
    """The values are enough to reject where a policy goes by averages alone."""
    challenger = entities.services.comprehend(entities.flywheel_arn).iteration(
        entities.batch(2).iteration_id or ""
    )

    def lose(answer: dict[str, Any]) -> None:
        found = answer["EntityRecognizerProperties"]
        if found["EntityRecognizerArn"] == challenger.trained_model:
            for each in found["RecognizerMetadata"]["EntityTypes"]:
                if each["Type"] == "CITY":
                    each["EvaluationMetrics"]["F1Score"] = 2.0

    with altering("comprehend", DESCRIBE, lose):
        entities.configure(policy={"evidence": "averages", "critical_labels": ["CITY"]})
        assert entities.compare(2) == {"outcome": BatchOutcome.REJECTED}


@pytest.mark.slow
def test_values_do_not_count_when_a_test_set_was_frozen_since(entities: World) -> None:
    """The champion was measured on the earlier one, so both models are asked."""
    entities.compare(2)
    entities.close(2)
    entities.services.ledger.flywheels.ask_to_freeze(entities.row, entities.now())
    upload(entities, "more-tests", mentions(40, first=2000), "test")
    upload(entities, "wednesday", mentions(40, first=300))
    entities.trained(3)
    assert "the champion has no usable F1Score of 'CITY'" in asked(entities, 3)
    assert labels(entities, 3).champion is None
    assert labels(entities, 3).challenger is not None
    assert labels(entities, 3).missing == "the champion was measured on another test set"


@pytest.mark.slow
def test_values_count_when_a_person_went_back_to_an_earlier_champion(entities: World) -> None:
    """The verdict that promoted it tells of its test set, however long ago that was."""
    (first,) = [entry.model for entry in entities.services.ledger.champions.history(NAME)]
    entities.compare(2)
    entities.close(2)
    changed(entities, "promote", first or "")
    upload(entities, "wednesday", mentions(40, first=300))
    entities.trained(3)
    assert entities.compare(3)["outcome"] is not None
    assert labels(entities, 3).missing == ""
    assert labels(entities, 3).champion == labels(entities, 2).champion


@pytest.mark.slow
def test_values_do_not_count_when_the_iteration_is_older_than_the_test_set(
    entities: World,
) -> None:
    """Whatever froze the test set anew, an iteration before it was on another one."""
    entities.clock.advance(60)
    client("dynamodb").update_item(
        TableName=entities.cloud.configuration.ledger_table,
        Key={"pk": {"S": f"FLYWHEEL#{NAME}"}, "sk": {"S": "FLYWHEEL"}},
        UpdateExpression="SET test_set.frozen_at = :now",
        ExpressionAttributeValues={":now": {"S": entities.now().isoformat()}},
    )
    assert "the iteration was measured on an earlier test set than today's" in asked(entities)


@pytest.mark.slow
def test_values_do_not_count_when_the_service_tested_on_other_documents(entities: World) -> None:
    """Say, where somebody added a test dataset in the console."""

    def count_more(answer: dict[str, Any]) -> None:
        metadata = answer["EntityRecognizerProperties"]["RecognizerMetadata"]
        metadata["NumberOfTestDocuments"] = 61

    with altering("comprehend", DESCRIBE, count_more):
        assert "on 61 documents" in asked(entities)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "status"), [("AccessDeniedException", 400), ("InternalServerException", 500)]
)
def test_the_reason_is_named_when_values_cannot_be_read(
    entities: World, code: str, status: int
) -> None:
    """It fails no batch: both models are asked instead."""
    with answering("comprehend", DESCRIBE, code=code, status=status):
        told = asked(entities)
    assert DESCRIBE in told
    assert code in told
    assert labels(entities).challenger is None


@pytest.mark.slow
def test_both_levels_tell_the_same_when_answers_were_asked_for(entities: World) -> None:
    """What the service measured is what follows from the models' answers to the same documents."""
    with answering("comprehend", DESCRIBE, code="AccessDeniedException"):
        assert len(entities.compare(2)["jobs"]) == 2
        entities.await_answers(2)
        entities.compare(2)
    evidence = verdict(entities).evidence
    assert evidence.paired is not None
    (city,) = [each for each in evidence.paired.labels if each.label == "CITY"]
    service = entities.services.comprehend(entities.flywheel_arn)
    for model, answered in (
        (evidence.champion_arn, city.champion),
        (evidence.challenger_arn, city.challenger),
    ):
        measured = service.model_labels(model or "", None).values
        assert measured["CITY"]["F1Score"] == pytest.approx(answered, abs=1e-9)


@pytest.mark.slow
def test_nothing_is_read_when_the_policy_names_no_label(entities: World) -> None:
    """And the verdict has nothing of it."""
    entities.configure(policy={"evidence": "averages"})
    with seeing("comprehend", DESCRIBE) as calls:
        entities.compare(2)
    assert calls == []
    assert verdict(entities).evidence.labels is None


def archived(document: object, name: str = "output/confusion_matrix.json") -> bytes:
    """Return an archive with a file in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        body = json.dumps(document).encode()
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        files.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


def matrix(*rows: Sequence[int]) -> bytes:
    """Return the archive of a classifier's confusion matrix."""
    labels = ["billing", "delivery"]
    return archived({"type": "multi_class", "confusion_matrix": rows, "labels": labels})


def named(key: str) -> Any:
    """Have every classifier's description name an archive in the data lake."""
    uri = f"s3://{LAKE}/{key}"
    return altering(
        "comprehend",
        "DescribeDocumentClassifier",
        lambda answer: answer["DocumentClassifierProperties"].update(
            OutputDataConfig={"S3Uri": uri}
        ),
    )


@pytest.fixture
def classifier(world: World) -> World:
    """Have a first model of a classifier, and a floor of a label."""
    floor = {"metric": "Recall", "label": "billing", "min": 0.9}
    world.configure(policy={"evidence": "paired", "rules": [floor]})
    world.upload("test.csv", documents(TESTED, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    return world


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hits", "outcome"), [(19, BatchOutcome.PROMOTED), (10, BatchOutcome.REJECTED)]
)
def test_a_floor_is_held_against_the_confusion_matrix_when_one_is_named(
    classifier: World, hits: int, outcome: BatchOutcome
) -> None:
    """A first model needs nothing else."""
    key = f"{NAME}/models/1/output.tar.gz"
    client("s3").put_object(Bucket=LAKE, Key=key, Body=matrix([hits, TESTED - hits], [0, TESTED]))
    with named(key):
        assert classifier.compare() == {"outcome": outcome}
    found = labels(classifier, 1).challenger
    assert found is not None
    assert found["billing"]["Recall"] == hits / TESTED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "NoSuchKey"),
        (b"not an archive", "cannot be read"),
        (archived({}, "output/other.json"), "holds no confusion_matrix.json"),
        (archived({"type": "other"}), "not of the documented form"),
        (matrix([TESTED - 1, 1], [1, TESTED]), "on 41 documents"),
        (matrix([TESTED, 1], [0, TESTED - 1]), "on others of each label"),
    ],
    ids=["gone", "damaged", "empty", "another form", "more documents", "other documents"],
)
def test_the_reason_is_named_when_a_confusion_matrix_is_of_no_use(
    classifier: World, body: bytes | None, why: str
) -> None:
    """The challenger itself is asked then."""
    key = f"{NAME}/models/1/output.tar.gz"
    if body is not None:
        client("s3").put_object(Bucket=LAKE, Key=key, Body=body)
    with named(key):
        assert why in asked(classifier, 1)


def test_a_classifier_is_asked_when_its_description_names_no_matrix(classifier: World) -> None:
    """As for every version that a flywheel trained, by all that is documented."""
    assert "DescribeDocumentClassifier names no confusion matrix" in asked(classifier, 1)


def test_a_champion_is_not_compared_when_no_verdict_was_about_it(guarded: World) -> None:
    """It came from elsewhere, so nothing tells which documents its values are of."""
    key = f"{NAME}/models/1/output.tar.gz"
    client("s3").put_object(Bucket=LAKE, Key=key, Body=matrix([TESTED, 0], [0, TESTED + 1]))
    with named(key):
        told = asked(guarded, 1)
    assert "no batch tells on which test set the champion was measured" in told
    assert labels(guarded, 1).challenger is not None


def test_labels_are_not_known_when_the_test_set_is_not_ours(live_world: World) -> None:
    """No rows of ours, so nothing says which documents the values are of."""
    live_world.configure(policy=ANSWERS_WANTED)
    live_world.upload("monday.csv", documents(8))
    live_world.trained()
    live_world.compare()
    assert "the rows of the test set did not come through this system" in reasons(live_world, 1)

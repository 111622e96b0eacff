"""Both models' answers to the frozen test set, given by the engine: asked for, kept, judged."""

import io
import json

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.comparison.stored_answers import StoredAnswers
from compare_models.handler import handler
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.predictions import one_line
from flywheel.intake.labeled_rows import rows_of
from tests.functions.cloud import STAGING, altering, answering
from tests.functions.compare_models.conftest import TESTED
from tests.functions.conftest import Models
from tests.functions.world import NAME, World, documents


def answered(world: World, number: int = 1) -> list[str]:
    """Let the models answer, and return their names."""
    world.await_answers(number)
    return list(world.batch(number).answer_jobs)


def evidence(world: World, number: int = 1) -> Evidence:
    """Return what the stored verdict stands on."""
    stored = world.services.ledger.verdicts.get(world.batch(number))
    assert stored is not None
    return stored.verdict.evidence


def held_because(world: World) -> str:
    """Return the notice's body of a verdict that held."""
    assert world.compare() == {"outcome": BatchOutcome.HELD}
    (told,) = world.cloud.told()
    return " ".join(told.body.split())


def test_both_models_answer_when_the_averages_leave_a_rule_open(
    guarded: World, models: Models
) -> None:
    """Jobs first, then the verdict by what both said of the same documents."""
    asked = guarded.compare()
    assert asked["outcome"] is None
    assert [job["is_detection"] for job in asked["jobs"]] == [False, False]
    challenger = answered(guarded)[1]
    assert answered(guarded) == [models.champion, challenger]
    assert guarded.compare() == {"outcome": BatchOutcome.PROMOTED}
    paired = evidence(guarded).paired
    assert paired is not None
    assert paired.documents == 2 * TESTED + 1
    assert paired.fixed > paired.broken
    assert guarded.row.test_set is not None
    assert paired.test_set_sha256 == guarded.row.test_set.sha256
    assert guarded.row.test_set.looks == 1
    assert [each.label for each in paired.labels] != []
    for each in paired.predictions:
        head, *answers = guarded.lines(each.key)
        assert json.loads(head)["model"] == each.model
        assert len(answers) == 2 * TESTED + 1
        assert each.usd == pytest.approx((2 * TESTED + 1) * 3 * 0.0005)


@pytest.mark.slow
def test_one_document_is_one_line_when_its_text_has_several(guarded: World) -> None:
    """Line breaks become spaces, so that answers keep to their documents."""
    guarded.compare()
    (key,) = guarded.keys(f"test-sets/{NAME}/")
    lines = guarded.lines(key)
    assert len(lines) == 2 * TESTED + 1
    assert "parcel late courier address" in lines


@pytest.mark.slow
def test_answers_keep_to_their_documents_when_rows_were_kept_in_another_order(
    guarded: World,
) -> None:
    """As after a rebuild, which may hold the same test set with its rows in another order."""
    assert guarded.row.test_set is not None
    (held,) = [key for key in guarded.keys(f"known/{NAME}/") if key.endswith(".csv")]
    rows = list(rows_of(io.StringIO("\n".join(guarded.lines(held)), newline="")))[::-1]
    kept = StoredAnswers(guarded.services.staging, NAME, guarded.row.test_set.sha256)
    kept.keep_rows(rows)
    guarded.compare()
    answered(guarded)
    assert guarded.compare() == {"outcome": BatchOutcome.PROMOTED}
    (key,) = guarded.keys(f"test-sets/{NAME}/")
    assert guarded.lines(key)[0] == one_line(rows[0].text)


@pytest.mark.slow
def test_answers_are_kept_when_the_same_model_is_judged_again(guarded: World) -> None:
    """A second look at the test set costs the new challenger's job alone."""
    guarded.compare()
    answered(guarded)
    guarded.compare()
    guarded.close()
    guarded.upload("tuesday.csv", documents(8, first=50))
    guarded.trained(2)
    asked = guarded.compare(2)
    assert len(asked["jobs"]) == 1
    answered(guarded, 2)
    guarded.compare(2)
    paired = evidence(guarded, 2).paired
    assert paired is not None
    assert [each.usd > 0 for each in paired.predictions] == [False, True]
    assert guarded.row.test_set is not None
    assert guarded.row.test_set.looks == 2


@pytest.mark.slow
def test_the_verdict_is_hold_when_a_job_failed(guarded: World) -> None:
    """The reason of the service is in the notice, and the batch is not failed."""
    guarded.compare()
    answered(guarded)

    def fail(answer: dict[str, dict[str, str]]) -> None:
        answer["DocumentClassificationJobProperties"]["JobStatus"] = "FAILED"
        answer["DocumentClassificationJobProperties"]["Message"] = "no access to the key"

    with altering("comprehend", "DescribeDocumentClassificationJob", fail):
        why = held_because(guarded)
    assert "is FAILED: no access to the key" in why


@pytest.mark.slow
def test_the_verdict_is_hold_when_a_job_outlives_its_deadline(
    guarded: World, context: LambdaContext
) -> None:
    """Looks are over, so the comparison is made with what there is."""
    guarded.compare()
    event = {"flywheel": NAME, "batch": 1}
    assert handler(event, context)["outcome"] is None
    assert handler({**event, "is_waited_for": True}, context) == {"outcome": BatchOutcome.HELD}
    (told,) = guarded.cloud.told()
    assert "it still ran when the deadline was over" in " ".join(told.body.split())


@pytest.mark.slow
def test_the_verdict_is_hold_when_an_output_is_torn(guarded: World) -> None:
    """Its batch does not fail by it."""
    guarded.compare()
    answered(guarded)
    key = guarded.keys(f"job-output/{NAME}/")[0]
    whole = client("s3").get_object(Bucket=STAGING, Key=key)["Body"].read()
    client("s3").put_object(Bucket=STAGING, Key=key, Body=whole[: len(whole) // 2])
    assert "the output of arn:" in held_because(guarded)


@pytest.mark.slow
def test_the_verdict_is_hold_when_a_job_may_not_be_started(guarded: World) -> None:
    """A refusal is named, and costs no batch."""
    with answering(
        "comprehend", "StartDocumentClassificationJob", code="AccessDeniedException", status=400
    ):
        why = held_because(guarded)
    assert "StartDocumentClassificationJob" in why
    assert "AccessDeniedException" in why


@pytest.mark.slow
def test_the_verdict_is_hold_when_the_test_rows_are_not_kept(guarded: World) -> None:
    """Different documents are never compared."""
    (key,) = [key for key in guarded.keys(f"known/{NAME}/") if key.endswith(".csv")]
    client("s3").put_object(Bucket=STAGING, Key=key, Body=b"billing,another text\n")
    assert "the rows that are kept are not those of the test set" in held_because(guarded)

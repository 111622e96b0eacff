"""New test rows after a HOLD: both models are judged again on real clients, and nothing is trained.

The challenger's answers are the engine's; the first test set is too small to tell them apart.
"""

import json
from collections.abc import Sequence

import pytest

from adapters.clients import client
from application.ledger.batch_rows import StoredVerdict
from application.ledger.flywheel_rows import change_flywheel
from console.record.replay import replayed
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.batches.uploads import UploadState
from flywheel.errors import ActRefusedError
from flywheel.evaluation.verdict import Decision
from tests.functions.champions import changed
from tests.functions.cloud import VERDICTS
from tests.functions.world import LABELS, NAME, Document, World, documents

pytestmark = pytest.mark.slow

FEW, MORE = 2, 20
"""Test documents of each label: too few to tell the models apart, and enough."""

PAIRED = {"evidence": "paired", "min_test_documents": 2}
"""A policy by which so small a test set is judged by both models' answers."""

WORN = {**PAIRED, "test_looks_warning": 2, "test_looks_hold": 2}
"""A policy by which two looks at a test set are enough."""

NEVER_TRAINED = {"StartFlywheelIteration", "CreateDocumentClassifier"}


def verdict(world: World, number: int) -> StoredVerdict:
    """Return what the ledger has of a batch's verdict."""
    stored = world.services.ledger.verdicts.get(world.batch(number))
    assert stored is not None
    return stored


def freeze(world: World) -> int | None:
    """Freeze the drafts as the command does; returns the batch that is open then."""
    world.acts().freeze(world.now())
    known = world.services.flywheel(NAME)
    batch, _ = world.services.workflow.open_when_ready(known, world.now())
    return None if batch is None else batch.batch


def add_test_rows(world: World, name: str = "more.csv", given: Sequence[Document] = ()) -> None:
    """Drop more test rows for the held challenger."""
    world.upload(name, given or documents(MORE, first=400), kind="test")


def judge(world: World, number: int) -> dict[str, object]:
    """Take an open batch to its verdict, and close it."""
    world.trained(number)
    asked = world.compare(number)
    if asked.get("jobs"):
        world.await_answers(number)
        asked = world.compare(number)
    world.close(number)
    return asked


@pytest.fixture
def held(live_world: World) -> World:
    """Have a better challenger that is held, since the test set is too small to show it."""
    live_world.configure(policy=PAIRED)
    live_world.upload("test.csv", documents(FEW, first=200), kind="test")
    live_world.upload("monday.csv", documents(8))
    assert judge(live_world, 1) == {"outcome": BatchOutcome.HELD}
    (reason,) = verdict(live_world, 1).verdict.reasons
    assert "more test documents" in reason
    return live_world


def test_a_held_challenger_goes_live_when_new_test_rows_show_it(held: World) -> None:
    """By both models' answers to the larger test set; not a document is trained on."""
    first = verdict(held, 1)
    challenger = first.verdict.evidence.challenger_arn
    past, last = list(held.row.past_seconds), held.row.last_iteration_at
    held.cloud.told()
    add_test_rows(held)
    held.comprehend_calls.clear()
    assert freeze(held) == 2
    assert judge(held, 2) == {"outcome": BatchOutcome.PROMOTED}
    assert not NEVER_TRAINED & set(held.comprehend_calls)
    assert held.active_model == challenger
    batch, paired = held.batch(2), verdict(held, 2).verdict.evidence.paired
    assert (batch.rejudges, batch.iteration_id) == (1, held.batch(1).iteration_id)
    assert (batch.documents, batch.test_documents) == (0, len(LABELS) * MORE)
    assert paired is not None
    assert paired.documents == len(LABELS) * (FEW + MORE)
    assert (held.row.past_seconds, held.row.last_iteration_at) == (past, last)
    assert held.row.test_set is not None
    assert (held.row.test_set.version, held.row.test_set.looks) == (2, 2)
    assert (held.row.train_datasets, held.row.test_datasets) == (1, 2)
    assert held.row.freeze_asked_by is None


def test_people_are_told_when_models_are_judged_again(held: World) -> None:
    """What ends the hold, what it costs, and what the answers showed; old averages are gone."""
    (told,) = [each for each in held.cloud.told() if "HELD" in each.subject]
    assert f"`flywheel testset freeze {NAME} --env test` to have" in " ".join(told.body.split())
    add_test_rows(held)
    freeze(held)
    judge(held, 2)
    started, judged = held.cloud.told()
    assert started.subject == f"[test] {NAME}: STARTED batch 2: batch 1 is judged again"
    words = " ".join(started.body.split())
    assert "the test set grows from 4 to 44" in words
    assert "nothing is trained" in words
    found = verdict(held, 2).verdict.evidence
    old, new = found.values("AverageF1Score")
    assert (found.champion, found.challenger) == ({}, {})
    assert f"PROMOTED, F1 {old:.3f} -> {new:.3f}" in judged.subject


def test_the_document_says_what_was_judged_again_when_it_is_kept(held: World) -> None:
    """Without the numbers of the earlier test set, and it follows again bit for bit."""
    add_test_rows(held)
    freeze(held)
    judge(held, 2)
    answer = client("s3").get_object(Bucket=VERDICTS, Key=f"verdicts/{NAME}/2.json")
    kept = answer["Body"].read().decode()
    inputs = json.loads(kept)["inputs"]
    assert inputs["rejudges"] == 1
    assert inputs["iteration"]["trained_metrics"] is None
    services = held.services
    again = replayed(
        json.loads(kept),
        services.staging,
        services.flywheel(NAME),
        lambda: services.task_config(held.flywheel_arn),
    )
    assert again == kept


def test_training_rows_wait_when_models_are_judged_again(held: World) -> None:
    """What came meanwhile is the next batch's, and is judged on the larger test set."""
    held.configure(policy=PAIRED, min_documents=1000)
    add_test_rows(held)
    held.upload("tuesday.csv", documents(8, first=50))
    assert freeze(held) == 2
    held.configure(policy=PAIRED)
    judge(held, 2)
    assert held.batch(2).documents == 0
    assert held.row.open_batch == 3
    judge(held, 3)
    assert held.batch(3).documents == len(LABELS) * 8
    assert held.batch(3).rejudges is None


def test_a_marker_opens_the_training_batch_when_models_are_judged_again_first(held: World) -> None:
    """Who dropped it asked for these rows, however few, and not for another look at old models."""
    held.configure(policy=PAIRED, min_documents=1000)
    held.acts().pause("look at it", held.now())
    held.upload("tuesday.csv", documents(8, first=50))
    held.upload("_GO", b"")
    add_test_rows(held)
    assert freeze(held) is None
    held.acts().resume("labels are right", held.now())
    known = held.services.flywheel(NAME)
    batch, _ = held.services.workflow.open_when_ready(known, held.now())
    assert batch is not None
    assert batch.rejudges == 1
    judge(held, 2)
    assert held.row.open_batch == 3
    assert held.seal(3)["is_empty"] is False
    assert held.batch(3).documents == len(LABELS) * 8
    assert held.row.asked_by is None


def test_it_is_held_again_when_the_new_rows_still_show_too_little(held: World) -> None:
    """One more look at the test set, and more rows may follow."""
    add_test_rows(held, given=documents(1, first=300))
    freeze(held)
    assert judge(held, 2) == {"outcome": BatchOutcome.HELD}
    assert verdict(held, 2).verdict.decision is Decision.HOLD
    add_test_rows(held)
    assert freeze(held) == 3
    assert judge(held, 3) == {"outcome": BatchOutcome.PROMOTED}
    assert held.batch(3).rejudges == 2
    assert held.row.test_set is not None
    assert held.row.test_set.looks == 3


def test_the_batch_that_trained_is_named_when_a_judged_again_model_is_rejected(held: World) -> None:
    """Its rows are in the flywheel, not the test rows of the batch that judged; however often."""
    add_test_rows(held, given=documents(1, first=300))
    freeze(held)
    judge(held, 2)
    held.configure(
        policy={**PAIRED, "rules": [{"metric": "AverageF1Score", "min_improvement": 0.9}]}
    )
    held.cloud.told()
    add_test_rows(held)
    freeze(held)
    assert judge(held, 3) == {"outcome": BatchOutcome.REJECTED}
    _, told = held.cloud.told()
    words = " ".join(told.body.split())
    assert "The rows of batch 1 stay in the flywheel" in words
    assert "flywheel withdraw" not in words


def test_a_worn_test_set_is_replaced_when_drafts_are_frozen(held: World) -> None:
    """The looks before count when models are judged again: with the last one spent that ends.

    Were the models judged again, each freeze would lead to another hold on the same worn set.
    """
    held.configure(policy=WORN)
    add_test_rows(held, given=documents(1, first=300))
    assert freeze(held) == 2
    assert judge(held, 2) == {"outcome": BatchOutcome.HELD}
    add_test_rows(held)
    assert freeze(held) is None
    held.upload("tuesday.csv", documents(8, first=50))
    assert held.batch(3).rejudges is None
    judge(held, 3)
    assert held.row.test_set is not None
    # Of 6 documents both looks were, of the 46 there are by then one.
    assert (held.row.test_set.version, held.row.test_set.looks) == (3, 2)
    assert held.row.generation_looks == 3
    assert not any("too often" in reason for reason in verdict(held, 3).verdict.reasons)


def test_each_verdict_knows_the_looks_before_it_when_models_are_judged_again(held: World) -> None:
    """At the test set, in the generation, and at the same two models."""
    add_test_rows(held, given=documents(1, first=300))
    freeze(held)
    judge(held, 2)
    add_test_rows(held)
    freeze(held)
    judge(held, 3)
    seen = [verdict(held, number).verdict.evidence.test_set for number in (1, 2, 3)]
    assert [each and (each.looks, each.generation_looks, each.pair_looks) for each in seen] == [
        (0, 0, 0),
        (1, 1, 1),
        (2, 2, 2),
    ]
    errors = [verdict(held, number).verdict.error for number in (1, 2, 3)]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == len(errors)


def test_nothing_is_judged_again_when_every_test_row_is_known(held: World) -> None:
    """The batch ends EMPTY with a notice, and is not opened again and again."""
    held.cloud.told()
    add_test_rows(held, given=documents(FEW, first=200))
    assert freeze(held) == 2
    assert held.seal(2)["is_empty"]
    held.close(2)
    assert held.batch(2).outcome is BatchOutcome.EMPTY
    assert held.row.is_idle
    (told,) = held.cloud.told()
    assert "nothing new to test with" in told.subject
    add_test_rows(held, "new.csv")
    assert freeze(held) == 3
    assert judge(held, 3) == {"outcome": BatchOutcome.PROMOTED}


def test_nothing_is_judged_again_when_the_drafts_were_taken_back(held: World) -> None:
    """Withdrawn before the seal, they are nobody's test rows."""
    upload = held.upload("more.csv", documents(MORE, first=400), kind="test")
    assert freeze(held) == 2
    held.acts().withdraw([held.known(upload)], "wrong file", held.now())
    assert held.seal(2)["is_empty"]
    held.close(2)
    assert held.known(upload).state is UploadState.WITHDRAWN
    assert held.row.test_set is not None
    assert held.row.test_set.version == 1


@pytest.mark.parametrize("policy", [{"evidence": "averages"}, {"evidence": "none"}])
def test_drafts_wait_for_training_when_the_policy_wants_no_answers(
    held: World, policy: dict[str, str]
) -> None:
    """Without answers nothing but a new iteration says anything of the larger test set."""
    held.configure(policy=policy)
    add_test_rows(held)
    assert freeze(held) is None


def test_drafts_wait_for_training_when_the_flywheel_was_rebuilt(held: World) -> None:
    """The held challenger is of an earlier generation, whose flywheel is another."""
    add_test_rows(held)
    held.acts().freeze(held.now())
    change = change_flywheel(NAME, {"generation": 2})
    held.services.ledger.flywheels._table.write([change])
    known = held.services.flywheel(NAME)
    batch, _ = held.services.workflow.open_when_ready(known, held.now())
    assert batch is None


def test_drafts_wait_for_training_when_the_champion_changed(held: World) -> None:
    """The held challenger was compared with another model than is live now."""
    held.services.ledger.flywheels.ensure(NAME, held.flywheel_arn)
    challenger = verdict(held, 1).verdict.evidence.challenger_arn
    changed(held, "promote", model=challenger or "")
    add_test_rows(held)
    assert freeze(held) is None


def test_a_failed_batch_is_judged_again_when_it_is_retried(held: World) -> None:
    """Its second attempt takes the same iteration, and still trains nothing."""
    add_test_rows(held)
    freeze(held)
    held.sealed(2)
    held.close(2, error="Stopped", cause="by hand")
    assert held.batch(2).outcome is BatchOutcome.FAILED
    held.comprehend_calls.clear()
    held.cloud.told()
    held.acts().retry(held.services.staging, 2, "again", held.now())
    assert held.batch(2).state is BatchState.SEALED
    assert judge(held, 2) == {"outcome": BatchOutcome.PROMOTED}
    assert not NEVER_TRAINED & set(held.comprehend_calls)
    (started, _) = held.cloud.told()
    assert "the test set grows from 4 to 44" in " ".join(started.body.split())


def test_freezing_is_refused_when_no_dataset_is_left(held: World) -> None:
    """Before anything is opened that could only fail."""
    held.configure(policy=PAIRED, service_test_datasets=1)
    add_test_rows(held)
    with pytest.raises(ActRefusedError, match="all 1 TEST datasets of the flywheel's life are"):
        freeze(held)

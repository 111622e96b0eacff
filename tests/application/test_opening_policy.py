"""When the next batch may open: one case for each obstacle, and for a hold that is judged again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.batches.workflow import OpeningPolicy
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow, PauseReason, RebuildState
from flywheel.batches.batches import BatchOutcome, BatchState, StagedUpload
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.verdict import Decision, Verdict, decide
from flywheel.settings.environment import ReceivedSettings
from flywheel.settings.policy import Policy

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ARN, OLD, NEW = "flywheel/tickets", "model/old", "model/new"
PAUSE = PauseReason("alice", "an incident", "2026-01-01")
ENOUGH = {"A": 1000, "B": 1000}


def policy(
    *, evidence: str = "paired", is_requested: bool = False, **changes: Any
) -> OpeningPolicy:
    """Return the policy for an idle flywheel whose row is changed."""
    settings = ReceivedSettings.model_validate(
        {"name": "tickets", "task": "classification", "policy": {"evidence": evidence}}
    )
    row = FlywheelRow("tickets", ARN, deployed_arn=ARN, expected_champion=OLD)
    known = KnownFlywheel(ARN, settings)
    return OpeningPolicy(known, replace(row, **changes), NOW, is_requested=is_requested)


def staged(**counts: int) -> list[StagedUpload]:
    """Return one training upload with these labels."""
    rows = sum(counts.values())
    return [
        StagedUpload("u", "k", DatasetKind.TRAIN, "s", counts, 1, NOW - timedelta(hours=1), rows)
    ]


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({}, None),
        ({"open_batch": 3}, "batch 3 is under way"),
        ({"pause": PAUSE}, "paused by alice: an incident (flywheel resume tickets --reason TEXT)"),
        (
            {"rebuild": RebuildState("CREATING", "r", ARN, 1)},
            "its next generation is being made (rebuild)",
        ),
        ({"rebuild": RebuildState("SWITCHED", "r", ARN, 1)}, None),
        (
            {"deployed_arn": "flywheel/other"},
            f"tickets is flywheel/other in the ledger: give {ARN} another name",
        ),
    ],
)
def test_the_first_obstacle_is_named_when_a_flywheel_cannot_open_a_batch(
    changes: dict[str, Any], obstacle: str | None
) -> None:
    """Nothing that is staged opens a batch of a flywheel that is busy, paused or rebuilt."""
    assert policy(**changes).obstacle() == obstacle


def test_a_recent_iteration_is_an_obstacle_when_nobody_requested_the_batch() -> None:
    """A person, or a marker in the inbox, overrides our own pause between iterations."""
    recent: dict[str, Any] = {"last_iteration_at": NOW - timedelta(minutes=1)}
    assert policy(**recent).early_obstacle() is not None
    assert policy(**recent, is_requested=True).early_obstacle() is None
    assert policy(**recent, asked_by="tickets/train/_GO").early_obstacle() is None


def test_used_up_slots_are_an_obstacle_when_a_batch_is_requested() -> None:
    """Nobody overrides the service's quota."""
    used_up = policy(train_datasets=50, is_requested=True).early_obstacle()
    assert used_up is not None
    assert "50" in used_up


def test_a_first_model_needs_two_labels_when_the_task_is_classification() -> None:
    """One label is enough once a dataset has been sent."""
    assert not policy().readiness(staged(A=2000)).is_ready
    assert policy(train_datasets=1).readiness(staged(A=2000)).is_ready
    assert policy().readiness(staged(**ENOUGH)).is_ready


@pytest.mark.parametrize(
    ("batch", "row", "is_wanted"),
    [
        ({}, {}, True),
        ({"outcome": BatchOutcome.REJECTED}, {}, False),
        ({"generation": 2}, {}, False),
        ({}, {"expected_champion": NEW}, False),
        ({}, {"evidence": "averages"}, False),
    ],
)
def test_a_hold_is_judged_again_when_nothing_but_test_rows_is_missing(
    batch: dict[str, Any], row: dict[str, Any], is_wanted: bool
) -> None:
    """Not after another outcome, in another generation, for another champion, without answers."""
    made = decide(Evidence(OLD, None, NEW, {}, has_test_set=True), Policy())
    held: Verdict = replace(made, decision=Decision.HOLD)
    judged = BatchRow(
        "tickets", 2, BatchState.CLOSED, 1, "2026-01-01", 0, outcome=BatchOutcome.HELD
    )
    stored = StoredVerdict(held, OLD, BatchOutcome.HELD)
    assert policy(**row).wants_rejudged(replace(judged, **batch), stored) is is_wanted

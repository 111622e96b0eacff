"""The model that non-inferiority must not drift away from: which it is, and that it answers too."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from adapters.clients import client
from application.ledger.flywheel_rows import change_flywheel
from application.port_values import Key, Put
from console.record.replay import replayed
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import Champion, ChampionSource
from flywheel.evaluation.evidence import Evidence
from tests.functions.champions import changed
from tests.functions.cloud import VERDICTS
from tests.functions.conftest import Models
from tests.functions.world import NAME, World, documents

pytestmark = pytest.mark.slow

SUPERIOR = {"evidence": "paired", "critical_labels": ["billing"]}
"""A policy that asks for a gain, and for both models' answers."""


def change_row(world: World, **changes: Any) -> None:
    """Change the flywheel's row."""
    world.services.ledger.flywheels._table.write([change_flywheel(NAME, changes)])


def make_active(world: World, model: str | None) -> None:
    """Let a person change the champion in the console, and have that found out."""
    if model is not None:
        client("comprehend").update_flywheel(FlywheelArn=world.flywheel_arn, ActiveModelArn=model)
    row = world.services.ledger.flywheels.ensure(NAME, world.flywheel_arn)
    world.services.ledger.champions.note_outside(row, model, None, world.now())


def evidence(world: World, number: int = 1) -> Evidence:
    """Return what the stored verdict stands on."""
    stored = world.services.ledger.verdicts.get(world.batch(number))
    assert stored is not None
    return stored.verdict.evidence


def asked(world: World, number: int = 1) -> list[str]:
    """Compare, and return the models that must answer."""
    world.compare(number)
    return list(world.batch(number).answer_jobs)


def test_the_anchor_answers_too_when_it_is_not_the_champion(guarded: World, models: Models) -> None:
    """By one job more, on the same documents; the verdict can be made again from what is kept."""
    change_row(guarded, anchor=models.other)
    answering = asked(guarded)
    assert answering[:2] == [models.champion, models.other]
    assert len(answering) == 3
    guarded.await_answers()
    guarded.compare()
    found = evidence(guarded)
    assert found.anchor_arn == models.other
    assert found.paired is not None
    assert [each.model for each in found.paired.predictions] == answering
    (nearness,) = (each for each in found.paired.anchor if each.metric == "AverageF1Score")
    (gain,) = (
        each
        for each in found.paired.comparisons
        if each.metric == "AverageF1Score" and each.label is None
    )
    assert nearness.challenger == gain.challenger
    answer = client("s3").get_object(Bucket=VERDICTS, Key=f"verdicts/{NAME}/1.json")
    kept = answer["Body"].read().decode()
    services = guarded.services
    again = replayed(
        json.loads(kept),
        services.staging,
        services.flywheel(NAME),
        lambda: services.task_config(guarded.flywheel_arn),
    )
    assert again == kept


def test_the_challenger_is_held_when_the_anchor_cannot_answer(
    guarded: World, models: Models
) -> None:
    """Nobody knows how far it has drifted: what is missing is named."""
    gone = f"{models.champion}-that-was-deleted"
    change_row(guarded, anchor=gone)
    assert guarded.compare() == {"outcome": BatchOutcome.HELD}
    assert "StartDocumentClassificationJob" in evidence(guarded).paired_missing


def test_the_challenger_is_held_when_the_anchor_changed_while_models_answered(
    guarded: World, models: Models
) -> None:
    """The new one was never asked, as with a champion that changed."""
    assert len(asked(guarded)) == 2
    guarded.await_answers()
    change_row(guarded, anchor=models.other)
    assert guarded.compare() == {"outcome": BatchOutcome.HELD}
    assert evidence(guarded).paired_missing == f"no job was started for {models.other}"


@pytest.mark.parametrize("is_superior", [True, False])
def test_two_models_answer_when_no_other_is_the_anchor(
    guarded: World, models: Models, *, is_superior: bool
) -> None:
    """A policy that asks for a gain has none; the champion is compared with already."""
    if is_superior:
        guarded.configure(policy=SUPERIOR)
    change_row(guarded, anchor=models.other if is_superior else models.champion)
    assert len(asked(guarded)) == 2


def test_the_first_champion_is_the_anchor_when_the_row_has_none(
    guarded: World, models: Models
) -> None:
    """As in a row of an earlier release, whose champions moved no anchor."""
    changes = {"champions": 1, "expected_champion": models.other}
    change_row(guarded, **changes)
    entry = Champion(1, models.other, ChampionSource.PROMOTE, "ann", guarded.now().isoformat())
    key = Key(f"FLYWHEEL#{NAME}", "CHAMPION#000001")
    guarded.services.ledger.flywheels._table.write([Put(key, asdict(entry))])
    assert asked(guarded)[:2] == [models.champion, models.other]


@pytest.mark.parametrize(
    "how", [ChampionSource.PROMOTE, ChampionSource.ROLLBACK, ChampionSource.OUTSIDE]
)
def test_the_anchor_moves_when_a_person_changes_the_champion(
    live_world: World, models: Models, how: ChampionSource
) -> None:
    """By the command or in the console; who answers for it knows what it was measured by."""
    world = live_world
    make_active(world, models.champion)
    make_active(world, models.other)
    assert world.row.anchor == models.other
    if how is ChampionSource.ROLLBACK:
        changed(world, "rollback")
    elif how is ChampionSource.PROMOTE:
        changed(world, "promote", models.champion)
    else:
        make_active(world, models.champion)
    assert world.services.ledger.champions.history(NAME)[-1].how is how
    assert world.row.anchor == world.row.expected_champion == models.champion


def test_the_anchor_stays_when_nothing_is_active_any_more(
    live_world: World, models: Models
) -> None:
    """The next model that goes live without a champion takes its place."""
    make_active(live_world, models.other)
    make_active(live_world, None)
    assert (live_world.row.anchor, live_world.row.expected_champion) == (models.other, None)


def test_the_first_model_is_the_anchor_when_it_goes_live(world: World) -> None:
    """There was nothing that it could drift from."""
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    assert world.compare() == {"outcome": BatchOutcome.PROMOTED}
    assert world.row.anchor == world.active_model is not None

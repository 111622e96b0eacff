"""The sweep: whoever dies at any crash point, the end is the one without a death.

Every name that `crash_point` is called with in functions/ is found by reading the source, so a
new one cannot be left out.
"""

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.acts import Acts
from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Engine
from tests.functions.cloud import running_cloud
from tests.functions.conftest import Models
from tests.functions.crash_scenarios import (
    approved,
    compared,
    empty,
    failed,
    given_up,
    given_up_early,
    promoted,
    rebuilt,
    refused,
    rejudged,
    retried,
    rolled_back,
    split,
    unanswered,
    withdrawn,
)
from tests.functions.crash_story import Killer, Rest, Story
from tests.functions.world import running_world

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
Scenario = Callable[[Story], None]

REACHED_BY: Mapping[Scenario, Sequence[str]] = {
    promoted: (
        "register_upload.received",
        "register_upload.staged",
        "workflow.batch_opened",
        "seal_batch.manifest_written",
        "seal_batch.train_written",
        "seal_batch.test_written",
        "seal_batch.sealed",
        "seal_batch.uploads_sealed",
        "seal_batch.dataset_created",
        "seal_batch.datasets_recorded",
        "start_iteration.announced",
        "start_iteration.started",
        "start_iteration.booked",
        "compare_models.verdict_stored",
        "compare_models.document_kept",
        "compare_models.claimed",
        "compare_models.made_active",
        "compare_models.carried_out",
        "compare_models.judged",
        "close_batch.closed",
        "close_batch.freed",
        "notices.published",
    ),
    compared: (
        "compare_models.documents_written",
        "compare_models.job_started",
        "compare_models.jobs_noted",
        "compare_models.answers_kept",
    ),
    approved: (
        "ask_approval.asked",
        "answer_approval.answered",
        "answer_approval.sent",
    ),
    unanswered: ("compare_models.approval_expired",),
    rolled_back: (
        "change_champion.begun",
        "change_champion.made_active",
        "change_champion.completed",
    ),
    failed: ("close_batch.failed",),
    refused: ("register_upload.refused",),
    split: ("split.upload_split",),
    withdrawn: ("withdraw.noted", "withdraw.upload_withdrawn"),
    rebuilt: (
        "rebuild_flywheel.created",
        "rebuild_flywheel.restaged",
        "rebuild_flywheel.begun",
        "rebuild_flywheel.switched",
        "rebuild_flywheel.endpoint_moved",
    ),
    given_up: ("rebuild_flywheel.uploads_returned", "rebuild_flywheel.returned"),
}
"""In which story each crash point's victim dies."""

ALSO: Sequence[tuple[Scenario, str]] = (
    (given_up_early, "rebuild_flywheel.uploads_returned"),
    (given_up_early, "rebuild_flywheel.returned"),
    (empty, "seal_batch.sealed"),
    (empty, "seal_batch.uploads_sealed"),
    (empty, "close_batch.closed"),
    (refused, "notices.published"),
    (retried, "start_iteration.started"),
    (retried, "start_iteration.booked"),
    (rejudged, "workflow.batch_opened"),
    (rejudged, "seal_batch.test_written"),
    (rejudged, "seal_batch.datasets_recorded"),
    (rejudged, "start_iteration.announced"),
    (rejudged, "start_iteration.started"),
    (rejudged, "start_iteration.booked"),
    (rejudged, "compare_models.jobs_noted"),
    (rejudged, "compare_models.made_active"),
    (rejudged, "close_batch.closed"),
)
"""Deaths at the same places in other stories, where something else is at stake."""

MAY_DIFFER: Mapping[Scenario, Mapping[str, Any]] = {
    # Who splits again splits what is left once more: other rows test, but none is lost or doubled.
    split: {"tested": {}, "uploads": {}},
    # Who takes back again writes it down again.
    withdrawn: {"audit": {}},
}
"""What a repeat by a person may make different from a story without a death."""

_TERMINAL = frozenset({"SEALED", "DUPLICATE", "REFUSED", "WITHDRAWN", "MARKER", "IMPORTED"})


def called_with() -> list[str]:
    """Return what `crash_point` is called with, call by call, in the whole of functions/."""
    calls = [
        node
        for path in sorted(FUNCTIONS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "crash_point"
    ]
    return [ast.literal_eval(call.args[0]) for call in calls]


NAMES = sorted(set(called_with()))


@dataclass(frozen=True, slots=True)
class Sweep:
    """Tells stories, each in a world of its own; those without a death only once.

    Parameters
    ----------
    undisturbed : dict
        What was left of them.
    """

    engine: Engine
    clock: DrivenClock
    models: Models
    undisturbed: dict[Scenario, Rest]

    def told(self, scenario: Scenario, point: str | None) -> tuple[Rest, Story]:
        """Tell a story with a death at a point, and return what is left."""
        # A generation takes its first model's data along, which must be in this cloud.
        model = None if scenario in {rebuilt, given_up, given_up_early} else self.models.champion
        with (
            running_cloud(self.engine.url) as cloud,
            running_world(cloud, self.clock, model) as world,
        ):
            story = Story(world, Killer(point))
            with story.killer.armed():
                scenario(story)
                return story.rest(), story

    def without_a_death(self, scenario: Scenario) -> Rest:
        """Return what is left of a story in which nobody dies."""
        if scenario not in self.undisturbed:
            self.undisturbed[scenario] = self.told(scenario, None)[0]
        return self.undisturbed[scenario]


@pytest.fixture(scope="module")
def sweep(engine: Engine, clock: DrivenClock, models: Models) -> Sweep:
    """Have one engine for all stories."""
    return Sweep(engine, clock, models, {})


def scenario_of(point: str) -> Scenario:
    """Return the story in which a point's victim dies."""
    return next(scenario for scenario, points in REACHED_BY.items() if point in points)


def check(rest: Rest) -> None:
    """See that what is left is in order, whatever happened before."""
    for rows in rest.sent.values():
        assert max(Counter(rows).values(), default=0) <= 1, "a row was sent twice"
    assert len(set(rest.datasets)) == len(rest.datasets)
    held = [name for name in rest.datasets if name.startswith(f"{rest.present}/")]
    assert rest.slots == {
        "TRAIN": sum(name.endswith("-train") for name in held),
        "TEST": sum(name.endswith("-test") for name in held),
    }
    assert not [state for state in rest.uploads if state.rsplit(" ", 1)[1] not in _TERMINAL]
    assert rest.is_idle
    assert rest.broken_at is None
    assert not rest.waiting


def test_each_crash_point_is_one_place_when_the_source_is_read() -> None:
    """Its name begins with who dies there, and no other place has it."""
    assert max(Counter(called_with()).values()) == 1
    folders = {path.parent.name for path in FUNCTIONS.glob("*/handler.py")}
    acts = {name for name in dir(Acts) if not name.startswith("_")}
    victims = {name.split(".", 1)[0] for name in NAMES}
    assert victims <= folders | acts | {"notices", "workflow"}


def test_every_crash_point_has_a_story_when_the_source_is_read() -> None:
    """A new crash point without one, or a story's point that is gone, fails here."""
    assert sorted(point for points in REACHED_BY.values() for point in points) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "point"),
    [
        pytest.param(scenario, point, id=f"{scenario.__name__}-{point}")
        for scenario, point in [*((scenario_of(name), name) for name in NAMES), *ALSO]
    ],
)
def test_the_end_is_the_same_when_a_process_died(
    sweep: Sweep, scenario: Scenario, point: str
) -> None:
    """Nothing is lost, nothing is done twice, and everybody hears of it."""
    expected = sweep.without_a_death(scenario)
    check(expected)
    rest, story = sweep.told(scenario, point)
    assert (story.killer.deaths, story.noticed) == (1, 1), "nobody died, or it went unnoticed"
    check(rest)
    allowed = MAY_DIFFER.get(scenario, {})
    assert set(rest.audit) == set(expected.audit)
    assert replace(rest, **allowed) == replace(expected, **allowed)

"""The sweep: whichever write of a story a process dies after, the end is the one without a death.

Each story is played once without a death, which lists the writes of the functions and the places
in the code that make them. Then a process dies after each place, in the first story that comes to
it and in the last. So a new write is covered as soon as a story comes to it. That no write lies
between the nth and the next one makes one death between them enough: what is outside the process
is the same just after the nth was carried out and just before the next one is sent.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

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
from tests.functions.crash_story import Rest, Story
from tests.functions.killer import Killer
from tests.functions.world import running_world

Scenario = Callable[[Story], None]

FROM_NOTHING = (rebuilt, given_up, given_up_early)
"""A generation takes its first model's data along, which must be in this cloud."""

SCENARIOS: tuple[Scenario, ...] = (
    promoted,
    compared,
    *FROM_NOTHING,
    rejudged,
    approved,
    unanswered,
    rolled_back,
    failed,
    retried,
    empty,
    split,
    withdrawn,
    refused,
)

MAY_DIFFER: Mapping[Scenario, Mapping[str, Any]] = {
    # Who splits again splits what is left once more: other rows test, but none is lost or doubled.
    split: {"tested": {}, "uploads": {}},
}
"""What a repeat by a person may make different from a story without a death."""

WRITTEN_AGAIN = frozenset({"answer refused", "freeze asked for", "withdrawal"})
"""Audit entries of a person who acts again: the same once more, or that it was refused."""

_TERMINAL = frozenset({"SEALED", "DUPLICATE", "REFUSED", "WITHDRAWN", "MARKER", "IMPORTED"})


@dataclass(frozen=True, slots=True)
class Sweep:
    """Plays stories, each in a cloud of its own; those without a death only once.

    Parameters
    ----------
    engine : Engine
    clock : DrivenClock
    models : Models
    """

    engine: Engine
    clock: DrivenClock
    models: Models
    _without_death: dict[Scenario, tuple[Rest, list[str]]] = field(default_factory=dict)

    def play(self, scenario: Scenario, killer: Killer) -> tuple[Rest, Story]:
        """Play a story, and return what is left of it."""
        model = None if scenario in FROM_NOTHING else self.models.champion
        with (
            running_cloud(self.engine.url) as cloud,
            running_world(cloud, self.clock, model) as world,
            killer.armed(),
        ):
            story = Story(world, killer)
            scenario(story)
            return story.rest(), story

    def without_death(self, scenario: Scenario) -> tuple[Rest, list[str]]:
        """Return what is left of a story in which nobody dies, and its writes in order."""
        if scenario not in self._without_death:
            watcher = Killer()
            rest, _ = self.play(scenario, watcher)
            check(rest)
            assert watcher.writes
            self._without_death[scenario] = rest, watcher.writes
        return self._without_death[scenario]

    def numbers_of_places(self, scenario: Scenario) -> Iterator[int]:
        """Yield after which writes to die: the first at each place that is this story's part."""
        writes = {other: self.without_death(other)[1] for other in SCENARIOS}
        for place in dict.fromkeys(writes[scenario]):
            stories = [other for other in SCENARIOS if place in writes[other]]
            if scenario in (stories[0], stories[-1]):
                yield writes[scenario].index(place) + 1

    def die_after(self, scenario: Scenario, numbers: Iterable[int]) -> None:
        """See that each story with a death ends like the one without.

        Parameters
        ----------
        numbers : iterable of int
            After how many writes to die; 0 is before the first.
        """
        expected, writes = self.without_death(scenario)
        for number in numbers:
            killer = Killer(after_writes=number)
            with noting(writes[number - 1] if number else "none"):
                rest, story = self.play(scenario, killer)
                assert (killer.deaths, story.noticed) == (1, 1), "nobody died, or it went unnoticed"
                check(rest)
                assert comparable(rest, scenario) == comparable(expected, scenario)


@contextmanager
def noting(write: str) -> Iterator[None]:
    """Say of a failure after which write the process died."""
    try:
        yield
    except Exception as error:
        error.add_note(f"a process died after this write: {write}")
        raise


@pytest.fixture(scope="module")
def sweep(engine: Engine, clock: DrivenClock, models: Models) -> Sweep:
    """Have one engine for all stories."""
    return Sweep(engine, clock, models)


def comparable(rest: Rest, scenario: Scenario) -> Rest:
    """Return what is left without what a repeat by a person may make different."""
    audit = {event: count for event, count in rest.audit.items() if event not in WRITTEN_AGAIN}
    return replace(rest, **{"audit": audit, **MAY_DIFFER.get(scenario, {})})


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


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_end_is_the_same_when_a_process_died(sweep: Sweep, scenario: Scenario) -> None:
    """Nothing is lost, nothing is done twice, and everybody hears of it."""
    sweep.die_after(scenario, sweep.numbers_of_places(scenario))


def test_the_end_is_the_same_when_a_process_died_that_refuses_files(sweep: Sweep) -> None:
    """The shortest story and some of its deaths, so that no run of the tests is without."""
    _, writes = sweep.without_death(refused)
    sweep.die_after(refused, range(0, len(writes) + 1, 10))

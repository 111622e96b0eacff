from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.simulation.agenda import Agenda

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


@pytest.fixture
def agenda() -> Agenda:
    """Have nothing to do."""
    return Agenda(_NOW)


def _after(agenda: Agenda, seconds: float, act: Callable[[], object]) -> None:
    agenda.at(_NOW + timedelta(seconds=seconds), act)


def test_things_happen_in_order_when_their_moment_comes(agenda: Agenda) -> None:
    """What is due later waits for the next run."""
    seen: list[str] = []
    for seconds, word in ((20, "third"), (10, "first"), (10, "second"), (7200, "late")):
        _after(agenda, seconds, lambda word=word: seen.append(word))  # type: ignore[misc] # a default binds the word, not a type
    agenda.run(_NOW + _HOUR)
    assert seen == ["first", "second", "third"]
    assert agenda.now == _NOW + _HOUR
    agenda.run(_NOW + 3 * _HOUR)
    assert seen[-1] == "late"


def test_others_go_on_when_work_pauses(agenda: Agenda) -> None:
    """Two that pause in turn are interleaved, each with its own stack."""
    seen: list[tuple[str, int]] = []

    def work(name: str) -> None:
        for step in range(3):
            seen.append((name, step))
            agenda.pause(10)

    _after(agenda, 0, lambda: work("a"))
    _after(agenda, 5, lambda: work("b"))
    agenda.run(_NOW + _HOUR)
    assert seen == [(name, step) for step in range(3) for name in "ab"]


def test_another_overtakes_when_work_gives_way(agenda: Agenda) -> None:
    """What is due soon happens now, in the middle; what is far off does not."""
    seen: list[object] = []

    def work() -> None:
        seen.append("begins")
        seen.append(agenda.give_way(0, timedelta(minutes=1)))
        seen.append(agenda.give_way(0, timedelta(minutes=1)))

    _after(agenda, 0, work)
    _after(agenda, 30, lambda: seen.append(agenda.now - _NOW))
    _after(agenda, 600, lambda: seen.append("far off"))
    agenda.run(_NOW + timedelta(minutes=5))
    assert seen == ["begins", timedelta(0), True, False]


def test_work_is_unwound_when_its_history_is_over(agenda: Agenda) -> None:
    """It ends where it paused, with what has to be done at an end."""
    seen: list[str] = []

    def work() -> None:
        try:
            agenda.pause(7200)
            seen.append("goes on")
        finally:
            seen.append("ends")

    _after(agenda, 0, work)
    agenda.run(_NOW + _HOUR)
    agenda.close()
    assert seen == ["ends"]


def test_an_error_is_raised_when_work_fails(agenda: Agenda) -> None:
    """In the thread that runs the history, where somebody sees it."""

    def fail() -> None:
        raise ValueError("the simulator is wrong")

    _after(agenda, 0, fail)
    with pytest.raises(ValueError, match="is wrong"):
        agenda.run(_NOW + _HOUR)

"""The simulated world's clock, chance and agenda: one seed is one history.

Every call of a port passes through `World.call`, where it may be throttled, lose its reply, kill
its caller, or let another handler run in between. Rates are drawn per seed. Knows no port.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flywheel.errors import ServiceBusyError

T = TypeVar("T")

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_SWARM = (0.0, 0.3, 1.0, 4.0)
_DEEPEST = 2
"""How many handlers may be cut into each other."""


class Killed(BaseException):
    """The end of a process; no handler can catch it."""


class Stuck(Exception):
    """A history that does not come to rest."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things go wrong in one history, per call or per thing."""

    throttle: float
    lost_reply: float
    kill: float
    cut_in: float
    duplicate: float
    lost_event: float
    late_event: float
    dataset_fails: float
    iteration_fails: float
    metrics_missing: float
    person: float
    silence: float

    @classmethod
    def drawn(cls, chance: random.Random) -> "Rates":
        """Draw the rates of one history: some faults absent, some frequent."""

        def times(rate: float) -> float:
            return rate * chance.choice(_SWARM)

        return cls(
            throttle=times(0.006),
            lost_reply=times(0.006),
            kill=times(0.006),
            cut_in=times(0.02),
            duplicate=times(0.2),
            lost_event=times(0.05),
            late_event=times(0.2),
            dataset_fails=times(0.08),
            iteration_fails=times(0.15),
            metrics_missing=times(0.1),
            person=times(0.5),
            silence=times(0.1),
        )


@dataclass(slots=True)
class World:
    """Time, chance and what is still to happen.

    Parameters
    ----------
    seed : int
    """

    seed: int
    chance: random.Random = field(init=False)
    rates: Rates = field(init=False)
    now: datetime = BEGINNING
    is_calm: bool = False
    log: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _agenda: list[tuple[datetime, int, str, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _depth: int = 0

    def __post_init__(self) -> None:
        """Draw the history's rates."""
        self.chance = random.Random(self.seed)  # noqa: S311 - a history is no secret
        self.rates = Rates.drawn(self.chance)

    def note(self, words: str) -> None:
        """Write down one event."""
        self.log.append(f"{self.now:%m-%d %H:%M:%S} {words}")

    def breaks(self, invariant: str, words: str) -> None:
        """Write down that an invariant does not hold."""
        self.note(f"BROKEN {invariant}: {words}")
        self.broken.append(invariant)

    def happens(self, rate: float) -> bool:
        """Say whether something with this chance happens now; nothing does in the calm."""
        return not self.is_calm and self.chance.random() < rate

    def later(self, seconds: float, name: str, act: Callable[[], None]) -> None:
        """Have something happen after a time."""
        self._count += 1
        moment = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._agenda, (moment, self._count, name, act))

    def run(self, until: datetime) -> None:
        """Let everything happen up to a moment."""
        while self._agenda and self._agenda[0][0] <= until:
            moment, _, _, act = heapq.heappop(self._agenda)
            self.now = max(self.now, moment)
            act()
        self.now = max(self.now, until)

    def call(self, name: str, act: Callable[[], T]) -> T:
        """Carry out one call of a port, with what can go wrong around it."""
        self._cut_in()
        if self.happens(self.rates.kill):
            self.note(f"killed before {name}")
            raise Killed(name)
        if self.happens(self.rates.throttle):
            raise ServiceBusyError(name, "Throttled")
        done = act()
        if self.happens(self.rates.kill):
            self.note(f"killed after {name}")
            raise Killed(name)
        if self.happens(self.rates.lost_reply):
            self.note(f"reply lost: {name}")
            raise ServiceBusyError(name, "ReplyLost")
        return done

    def _cut_in(self) -> None:
        """Let something else that is due soon run here, in the middle of a handler."""
        if self._depth >= _DEEPEST or not self._agenda or not self.happens(self.rates.cut_in):
            return
        at = self.chance.randrange(min(3, len(self._agenda)))
        chosen = heapq.nsmallest(at + 1, self._agenda)[at]
        if chosen[0] - self.now > timedelta(minutes=10):
            return
        self._agenda.remove(chosen)
        heapq.heapify(self._agenda)
        self._depth += 1
        try:
            chosen[3]()
        finally:
            self._depth -= 1

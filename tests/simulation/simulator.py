"""The simulator's clock, chance and faults: one seed is one history.

Every call of a port passes through `Simulator.call`, where it may be throttled, sent twice, lose
its reply, kill its caller, or be overtaken by other work. Rates are drawn per seed. Knows no port.
"""

import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flywheel.errors import ServiceBusyError, ServiceRefusedError
from tests.simulation.agenda import Agenda

T = TypeVar("T")

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_SWARM = (0.0, 0.3, 1.0, 4.0)
_SOON = timedelta(minutes=10)
_OVERTAKERS = 3
_PAUSES_SECONDS = (1, 10, 60, 600)
_SKEWS_SECONDS = (0, 0, -30, 30)


class KilledError(BaseException):
    """The end of a process; no handler can catch it."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of faults and of people's actions; `drawn` varies them.

    Parameters
    ----------
    throttle, refused, lost_reply, sent_twice, kill, overtaken, pause : float
        A call of a port is throttled, refused, performed without a reply, or performed twice; its
        caller dies, is overtaken by other work, or takes long.
    duplicate, lost_event, late_event : float
        An event or message comes twice, never, or late.
    stale_index : float
        A read of an index misses the latest write.
    dataset_fails, iteration_fails, metrics_missing : float
        A dataset or iteration fails, or an iteration has no metrics.
    person : float
        A person performs a certain action.
    """

    throttle: float = 0.006
    refused: float = 0.0005
    lost_reply: float = 0.006
    sent_twice: float = 0.006
    kill: float = 0.006
    overtaken: float = 0.02
    pause: float = 0.005
    duplicate: float = 0.15
    lost_event: float = 0.08
    late_event: float = 0.15
    stale_index: float = 0.1
    dataset_fails: float = 0.08
    iteration_fails: float = 0.12
    metrics_missing: float = 0.1
    person: float = 0.3

    @classmethod
    def drawn(cls, chance: random.Random) -> "Rates":
        """Draw the rates of one history: some faults absent, some frequent."""
        usual = cls()
        return cls(
            **{rate.name: getattr(usual, rate.name) * chance.choice(_SWARM) for rate in fields(cls)}
        )


@dataclass(slots=True)
class Simulator:
    """Time, chance and faults.

    Parameters
    ----------
    seed : int

    Attributes
    ----------
    skew : timedelta
        The lead of the service's clock over ours.
    is_calm : bool
        No fault happens any more.
    broken : list of str
        Invariants that did not hold.
    """

    seed: int
    chance: random.Random = field(init=False)
    rates: Rates = field(init=False)
    agenda: Agenda = field(default_factory=lambda: Agenda(BEGINNING))
    skew: timedelta = field(init=False)
    is_calm: bool = False
    broken: list[str] = field(default_factory=list)
    _trace: list[tuple[datetime, str]] = field(default_factory=list)
    _calls: int = 0
    _fingerprint: int = 0
    _started: int = 0
    _processes: dict[object, tuple[int, datetime, str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Draw the history's rates."""
        self.chance = random.Random(self.seed)
        self.rates = Rates.drawn(self.chance)
        self.skew = timedelta(seconds=self.chance.choice(_SKEWS_SECONDS))

    @property
    def now(self) -> datetime:
        """The simulated moment."""
        return self.agenda.now

    @property
    def fingerprint(self) -> str:
        """A checksum of all events, in order."""
        return f"{self._calls}-{self._fingerprint:08x}"

    def note(self, words: str) -> None:
        """Record one event."""
        self._trace.append((self.now, words))
        self._fingerprint = zlib.crc32(words.encode(), self._fingerprint)

    def trace(self, newest: int) -> list[str]:
        """Return the newest events, as lines."""
        return [f"{moment:%m-%d %H:%M:%S} {words}" for moment, words in self._trace[-newest:]]

    def breaks(self, invariant: str, words: str) -> None:
        """Record that an invariant does not hold."""
        self.note(f"BROKEN {invariant}: {words}")
        self.broken.append(invariant)

    def happens(self, rate: float) -> bool:
        """Return whether an event with this rate happens now; none does once it is calm."""
        return not self.is_calm and self.chance.random() < rate

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Schedule an action."""
        self.agenda.at(self.now + timedelta(seconds=seconds), act)

    @property
    def process_number(self) -> int:
        """The number of the process that runs now; 0 for none."""
        process = self._processes.get(self.agenda.running)
        return process[0] if process else 0

    @property
    def function(self) -> str | None:
        """The construct id of the function that runs now; None for a person."""
        process = self._processes.get(self.agenda.running)
        return process[2] if process else None

    @contextmanager
    def process(self, timeout_seconds: int, function: str | None = None) -> Iterator[None]:
        """Run a process of a function or a person; it ends at its time-out, finished or not."""
        running = self.agenda.running
        self._started += 1
        deadline = self.now + timedelta(seconds=timeout_seconds)
        self._processes[running] = (self._started, deadline, function)
        try:
            yield
        finally:
            del self._processes[running]

    def call(self, name: str, act: Callable[[], T], *, is_repeatable: bool = False) -> T:
        """Perform one call of a port, with the faults that can happen around it.

        Parameters
        ----------
        is_repeatable : bool
            Whether the SDK may send it a second time where the first reply was lost.
        """
        self.pass_by(name)
        if self.happens(self.rates.throttle):
            self.note(f"throttled {name}")
            raise ServiceBusyError(name, "Throttled")
        if self.happens(self.rates.refused):
            self.note(f"refused {name}")
            raise ServiceRefusedError(name, "AccessDeniedException", "by chance")
        done = act()
        if is_repeatable and self.happens(self.rates.sent_twice):
            self.note(f"sent twice {name}")
            done = act()
        if self.happens(self.rates.kill):
            self.note(f"killed after {name}")
            raise KilledError(name)
        if self.happens(self.rates.lost_reply):
            self.note(f"reply lost {name}")
            raise ServiceBusyError(name, "ReplyLost")
        return done

    def pass_by(self, name: str) -> None:
        """Let the process be overtaken, take long, or die here."""
        self._calls += 1
        self._fingerprint = zlib.crc32(name.encode(), self._fingerprint)
        if self.happens(self.rates.overtaken):
            self.agenda.give_way(self.chance.randrange(_OVERTAKERS), _SOON)
        if self.happens(self.rates.pause):
            self.agenda.pause(self.chance.choice(_PAUSES_SECONDS))
        process = self._processes.get(self.agenda.running)
        if process is not None and self.now > process[1]:
            self.note(f"timed out at {name}")
            raise KilledError(name)
        if self.happens(self.rates.kill):
            self.note(f"killed before {name}")
            raise KilledError(name)

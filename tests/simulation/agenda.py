"""What is still to happen, and the threads that take turns: one runs, all others wait.

The agenda is worked off by whichever thread has the baton. Work that pauses keeps its thread and
its stack, and puts itself back on the agenda. It passes the baton to a fresh thread, which
continues with what is due. So handlers can be interleaved at any call, and a seed replays exactly.
Threads are reused by the next history. Knows no fault and no port.
"""

import _thread
import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple


class HistoryOverError(BaseException):
    """Unwinds work that still pauses when its history has ended."""


def _closed() -> _thread.LockType:
    lock = _thread.allocate_lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Worker:
    """A thread that runs only while it has the baton.

    Parameters
    ----------
    wake : lock
        Released to pass the baton here.
    agenda : Agenda or None
        What it works off.
    """

    wake: _thread.LockType = field(default_factory=_closed)
    agenda: "Agenda | None" = None

    def live(self) -> None:
        """Work off agendas, whenever woken."""
        while True:
            self.wake.acquire()
            if self.agenda is not None:
                self.agenda.work_off(self)


_idle: list[Worker] = []
"""Idle threads, which the next history reuses."""


class Entry(NamedTuple):
    """Something that happens at a moment; entries of one moment happen in their order."""

    moment: datetime
    number: int
    act: Callable[[], object] | Worker


@dataclass(slots=True)
class Agenda:
    """Moments and what happens at them.

    Parameters
    ----------
    now : datetime
    """

    now: datetime
    _entries: list[Entry] = field(default_factory=list)
    _number: int = 0
    _until: datetime | None = None
    _main: _thread.LockType = field(default_factory=_closed)
    _running: Worker | None = None
    _paused: list[Worker] = field(default_factory=list)
    _trouble: BaseException | None = None
    _is_over: bool = False

    @property
    def running(self) -> object:
        """What has the baton; differs for everything that is under way at the same time."""
        return self._running

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to happen any more."""
        return not self._entries

    def at(self, moment: datetime, act: Callable[[], object]) -> None:
        """Have something happen at a moment."""
        self._add(moment, act)

    def run(self, until: datetime) -> None:
        """Let everything happen up to a moment, in other threads than the caller's."""
        self._until = until
        self._pass_on()
        self._main.acquire()
        if self._trouble is not None:
            raise self._trouble
        self.now = until

    def pause(self, seconds: float) -> None:
        """Let time pass in the middle of work; everything that is due meanwhile happens."""
        self._wait(self.now + timedelta(seconds=seconds))

    def give_way(self, to: int, within: timedelta) -> bool:
        """Let one of the next entries happen first, now, if it is due soon; says whether it did.

        Parameters
        ----------
        to : int
            Which of the next, from 0.
        """
        if to >= len(self._entries):
            return False
        chosen = heapq.nsmallest(to + 1, self._entries)[to]
        if chosen.moment - self.now > within:
            return False
        self._entries.remove(chosen)
        heapq.heapify(self._entries)
        self._add(self.now, chosen.act)
        self._wait(self.now)
        return True

    def close(self) -> None:
        """Unwind what still pauses, so that its threads can be used again."""
        self._is_over = True
        self._entries.clear()
        while self._paused:
            self._hand_to(self._paused[-1])
            self._main.acquire()

    def work_off(self, worker: Worker) -> None:
        """Do what is due until the baton goes to somebody else; called by a worker's thread."""
        self._running = worker
        while self._entries and not self._is_over and self._entries[0].moment <= self._end:
            entry = heapq.heappop(self._entries)
            self.now = max(self.now, entry.moment)
            if isinstance(entry.act, Worker):
                _idle.append(worker)
                self._hand_to(entry.act)
                return
            if not self._carry_out(entry.act):
                break
        _idle.append(worker)
        self._main.release()

    def _carry_out(self, act: Callable[[], object]) -> bool:
        """Perform one entry; False where the history is over or the simulator itself failed."""
        try:
            act()
        except HistoryOverError:
            return False
        except BaseException as error:
            self._trouble = error
            return False
        return True

    @property
    def _end(self) -> datetime:
        return self._until or self.now

    def _add(self, moment: datetime, act: Callable[[], object] | Worker) -> None:
        self._number += 1
        heapq.heappush(self._entries, Entry(max(moment, self.now), self._number, act))

    def _wait(self, moment: datetime) -> None:
        me = self._running
        if me is None:
            raise RuntimeError("only work on the agenda can pause")
        self._add(moment, me)
        self._paused.append(me)
        self._pass_on()
        me.wake.acquire()
        self._paused.remove(me)
        self._running = me
        if self._is_over:
            raise HistoryOverError

    def _pass_on(self) -> None:
        """Pass the baton to a thread that has nothing to do yet."""
        if _idle:
            worker = _idle.pop()
        else:
            worker = Worker()
            threading.Thread(target=worker.live, daemon=True).start()
        worker.agenda = self
        self._hand_to(worker)

    @staticmethod
    def _hand_to(worker: Worker) -> None:
        worker.wake.release()

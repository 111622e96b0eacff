"""A burst of uploads to several flywheels at once, played with the real handlers over memory.

What `tests.simulation` plays with faults is played here without any, but for events that come
twice: one environment, its queues, its schedule and its state machine, up to the verdicts. Every
call of a port is counted, which says more than seconds about what it would take in AWS.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TypeVar

from application.configuration import KnownFlywheel
from application.services import Services, task_config
from flywheel.batches.uploads import DatasetKind, ObjectVersion, UploadState
from flywheel.settings.environment import ReceivedSettings
from tests.simulation.callers import Callers
from tests.simulation.memory.account import MemoryAccount
from tests.simulation.memory.buckets import MemoryStaging
from tests.simulation.memory.channels import (
    Message,
)
from tests.simulation.memory.ports import MemoryPorts, configuration_of
from tests.simulation.simulator import Rates, Simulator

T = TypeVar("T")

NAMES = ("tickets", "invoices", "mails")
DOCUMENTS = 20
"""Of each upload."""

_LABELS = ("billing", "delivery", "account", "other")
_POLICY = {"evidence": "none", "approve_first": 0}
_RULES = {"quiet_seconds": 60, "max_gather_minutes": 30, "min_documents": 200}
_TWICE = 0.15
_STEP, _MOST_STEPS = timedelta(hours=1), 24
_TAKEN = {UploadState.STAGED, UploadState.SEALED, UploadState.DUPLICATE}


@dataclass(slots=True)
class CountingSimulator(Simulator):
    """A simulator that counts calls of ports, and what those that list something gave."""

    calls: Counter[str] = field(default_factory=Counter)
    listed: int = 0

    def call(self, name: str, act: Callable[[], T], *, is_repeatable: bool = False) -> T:
        """Carry out one call of a port."""
        self.calls[name] += 1
        answer = Simulator.call(self, name, act, is_repeatable=is_repeatable)
        if isinstance(answer, list):
            self.listed += len(answer)
        return answer


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of a burst.

    Parameters
    ----------
    uploads, deliveries : int
        Objects that were dropped, and events that told of them.
    registered, lost : int
        Uploads that are staged or in a batch, and those that are neither.
    lost_documents : int
        Rows that were dropped and are not in the flywheels' datasets.
    batches, datasets, notices : int
    registering_seconds, all_seconds : float
        CPU time; all goes up to the verdicts, with everything that runs on a schedule.
    registering_calls, all_calls : int
        Calls of ports.
    registering_listed : int
        Rows that were listed while uploads were registered.
    """

    uploads: int
    deliveries: int
    registered: int
    lost: int
    lost_documents: int
    batches: int
    datasets: int
    notices: int
    registering_seconds: float
    all_seconds: float
    registering_calls: int
    registering_listed: int
    all_calls: int


@dataclass(slots=True)
class BurstPlay:
    """One environment with several flywheels.

    Parameters
    ----------
    kind : str
        Where the files are dropped: ``train`` or ``test``.
    """

    kind: str = "train"
    simulator: CountingSimulator = field(default_factory=lambda: CountingSimulator(0))
    ports: MemoryPorts = field(init=False)
    callers: Callers = field(init=False)
    deliveries: int = 0
    registering_seconds: float = 0.0
    registering_calls: int = 0
    registering_listed: int = 0

    def __post_init__(self) -> None:
        """Lay the environment out."""
        simulator = self.simulator
        simulator.rates = Rates(
            **{**{rate.name: 0.0 for rate in fields(Rates)}, "duplicate": _TWICE}
        )
        simulator.skew = timedelta(0)
        self.callers = Callers(simulator)
        account = MemoryAccount(simulator, MemoryStaging(simulator))
        self.ports = self.callers.ports = MemoryPorts.over(
            simulator,
            account,
            {name: _known(account, name) for name in NAMES},
            register=self._register,
            send_digests=self.callers.send_digests,
            execute=self.callers.execute,
            close=self.callers.close_late,
            rebuild=self.callers.rebuild_late,
            compare=self.callers.compare_late,
            change=self.callers.change_late,
            answer=self.callers.answer_late,
        )
        configuration = configuration_of("burst")
        self.callers.services = Services("burst", configuration, lambda: simulator.now, self.ports)

    def play(self, uploads: int) -> Burst:
        """Drop so many files at once, let everything happen, and return what came of it."""
        dropped = [self._drop(number) for number in range(uploads)]
        with _quiet(self.callers):
            began = time.process_time()
            for upload, size_bytes in dropped:
                self.ports.messages.event(upload, size_bytes)
            self.simulator.later(0, self.callers.schedule)
            try:
                self._come_to_rest()
            finally:
                self.simulator.agenda.close()
            all_seconds = time.process_time() - began
        return self._found([upload for upload, _ in dropped], all_seconds)

    def _drop(self, number: int) -> tuple[ObjectVersion, int]:
        name = NAMES[number % len(NAMES)]
        rows = (
            f"{_LABELS[row % len(_LABELS)]},document {row} of upload {number} says this\n"
            for row in range(DOCUMENTS)
        )
        body = "".join(rows).encode()
        return self.ports.inbox.drop(f"{name}/{self.kind}/{number:05}.csv", body), len(body)

    def _register(self, message: Message) -> bool:
        simulator = self.simulator
        began, calls, listed = time.process_time(), simulator.calls.total(), simulator.listed
        is_done = self.callers.register_upload(message)
        self.registering_seconds += time.process_time() - began
        self.registering_calls += simulator.calls.total() - calls
        self.registering_listed += simulator.listed - listed
        self.deliveries += 1
        return is_done

    def _come_to_rest(self) -> None:
        end = self.simulator.now
        for _ in range(_MOST_STEPS):
            end += _STEP
            self.simulator.agenda.run(end)
            rows = self.ports.table.rows("FLYWHEEL#")
            is_busy = any(row.get("open_batch") is not None for row in rows)
            if not (is_busy or self.ports.messages.uploads.waiting):
                return

    def _found(self, uploads: list[ObjectVersion], all_seconds: float) -> Burst:
        rows = {row["uid"]: row for row in self.ports.table.rows("UPLOAD#")}
        registered = sum(rows[upload.uid]["state"] in _TAKEN for upload in uploads)
        flywheels = self.ports.account.flywheels.values()
        held = sum(flywheel.held(kind).total() for flywheel in flywheels for kind in DatasetKind)
        return Burst(
            uploads=len(uploads),
            deliveries=self.deliveries,
            registered=registered,
            lost=len(uploads) - registered,
            lost_documents=len(uploads) * DOCUMENTS - held,
            batches=sum(1 for _ in self.ports.table.rows("BATCH#")),
            datasets=sum(len(flywheel.datasets) for flywheel in flywheels),
            notices=self.ports.topic.sent.total(),
            registering_seconds=self.registering_seconds,
            all_seconds=all_seconds,
            registering_calls=self.registering_calls,
            registering_listed=self.registering_listed,
            all_calls=self.simulator.calls.total(),
        )


def _known(account: MemoryAccount, name: str) -> KnownFlywheel:
    service = account.add(f"burst-{name}-g1", _LABELS)
    return KnownFlywheel(
        service.arn,
        ReceivedSettings.from_document({"name": name, "batch": _RULES, "policy": _POLICY}),
    )


@contextmanager
def _quiet(callers: Callers) -> Iterator[None]:
    """Let handlers find this simulator, forget what an earlier one left, and log nothing."""
    task_config.cache_clear()
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with callers.wired():
            yield
    finally:
        logging.disable(disabled)

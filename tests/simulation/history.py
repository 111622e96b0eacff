"""One history: files are dropped, people act, things go wrong, and in the end it must come to rest.

The handlers are the real ones. What calls them is here: deliveries of a queue, the states of the
workflow with their retries and catches, the schedule, and people. Faults stop after some days;
then whatever was dropped must be where it belongs (`tests.simulation.invariants`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.acts import Acts
from adapters.configuration import FunctionConfiguration, KnownFlywheel
from adapters.services import Services
from close_batch.handler import close
from compare_models.handler import compare
from flywheel.errors import (
    ActRefusedError,
    ConcurrentChangeError,
    FlywheelLoopError,
    ServiceBusyError,
)
from flywheel.settings import ReceivedSettings
from flywheel.uploads import ObjectVersion, UploadState
from reconcile.handler import reconcile, send_digests
from register_upload import staging as staging_module
from register_upload.handler import register
from seal_batch.handler import seal
from start_iteration.handler import start
from tests.simulation.chance import BEGINNING, Killed, World
from tests.simulation.memory_ports import (
    MemoryExecutions,
    MemoryFunctions,
    MemoryInbox,
    MemoryMessages,
    MemoryPorts,
    MemoryRows,
    MemoryStaging,
    MemoryTopic,
)
from tests.simulation.memory_service import MemoryService

NAME = "tickets"
ARN = "arn:aws:comprehend:us-east-1:123456789012:flywheel/sim-tickets-g1"
LABELS = ("billing", "delivery")
_RULES = {
    "quiet_seconds": 60,
    "max_gather_minutes": 5,
    "min_documents": 2,
    "max_age_hours": 2,
    "min_hours_between_iterations": 0,
    "service_min_per_label": 2,
    "poll_seconds": 60,
}
_STORMY = timedelta(days=2)
_CALM = timedelta(days=4)
_DELIVERIES = 5
_AGAIN_SECONDS = 900
_RETRIES = 8
_LOST_RETRIES = 3
_UPLOADS = (3, 8)


@dataclass(slots=True)
class Dropped:
    """A file that a person dropped, and what ought to become of it."""

    upload: ObjectVersion
    kind: str
    rows: tuple[tuple[str, str], ...]
    is_valid: bool


@dataclass(slots=True)
class History:
    """One flywheel, one seed.

    Parameters
    ----------
    seed : int
    has_schedule : bool
        Whether reconcile runs.
    """

    seed: int
    has_schedule: bool = True
    world: World = field(init=False)
    ports: MemoryPorts = field(init=False)
    service: MemoryService = field(init=False)
    services: Services = field(init=False)
    dropped: list[Dropped] = field(default_factory=list)
    staged_times: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the environment out."""
        # A process keeps what it knows of flywheels; each history is a process of its own.
        remembered: Any = staging_module._labels
        remembered.cache_clear()
        self.world = world = World(self.seed)
        staging = MemoryStaging(world)
        self.service = MemoryService(world, staging, ARN, LABELS)
        settings = ReceivedSettings.from_document({"name": NAME, "batch": _RULES})
        self.ports = MemoryPorts(
            table=MemoryRows(world),
            staging=staging,
            inbox=MemoryInbox(world),
            topic=MemoryTopic(world),
            messages=MemoryMessages(world, self._deliver, self._digest),
            executions=MemoryExecutions(world, self._begin),
            functions=MemoryFunctions(world, self._close_late),
            service=self.service,
            known={NAME: KnownFlywheel(ARN, settings)},
        )
        configuration = FunctionConfiguration.from_variables(
            {"ENVIRONMENT": "sim", "NOTICE_WINDOW_SECONDS": "60"}
        )
        self.services = Services("sim", configuration, lambda: world.now, self.ports)

    def run(self) -> list[str]:
        """Play the history and return the invariants that it broke."""
        from tests.simulation.invariants import check_at_rest, watch  # noqa: PLC0415 - it looks back here

        watch(self)
        self._plan()
        self.world.run(BEGINNING + _STORMY)
        self.world.is_calm = True
        self.world.note("calm")
        self.world.later(3600, "person", self._repair)
        self.world.run(BEGINNING + _CALM)
        check_at_rest(self)
        return self.world.broken

    # What people do.

    def _plan(self) -> None:
        chance = self.world.chance
        texts = [f"text {number}" for number in range(60)]
        for number in range(chance.randint(*_UPLOADS)):
            kind = "test" if number == 0 or chance.random() < 0.1 else "train"
            moment = chance.random() * _STORMY.total_seconds() * 0.8 * (number > 0)
            self.world.later(moment, "drop", partial(self._drop, number, kind, texts))
        if self.has_schedule:
            self._schedule()
        for act in (self._promote_outside, self._start_outside, self._pause, self._withdraw):
            if self.world.happens(self.world.rates.person):
                moment = chance.random() * _STORMY.total_seconds()
                self.world.later(moment, "person", act)
        for _ in range(3):
            moment = chance.random() * _STORMY.total_seconds()
            self.world.later(moment, "person", self._retry)
            if chance.random() < 0.5:
                self.world.later(moment, "person", self._retry)

    def _drop(self, number: int, kind: str, texts: list[str]) -> None:
        chance = self.world.chance
        rows = tuple(
            (LABELS[int(text.split()[1]) % 2], text)
            for text in chance.sample(texts, chance.randint(2, 8))
        )
        is_valid = chance.random() > 0.12
        # Now and then a file of the same name is dropped again, with other rows.
        name = f"{NAME}/{kind}/{number if chance.random() > 0.15 else 1}.csv"
        body = "".join(f"{label},{text}\n" for label, text in rows) if is_valid else "a,b,c\n"
        upload = self.ports.inbox.put(name, body.encode())
        self.dropped.append(Dropped(upload, kind, rows, is_valid))
        self.world.note(f"dropped {name} {upload.version_id}{'' if is_valid else ' (broken)'}")
        if self.world.happens(self.world.rates.lost_event):
            return
        for _ in range(1 + self.world.happens(self.world.rates.duplicate)):
            late = self.world.happens(self.world.rates.late_event)
            seconds = chance.random() * (86400 if late else 30)
            self.world.later(seconds, "upload", lambda: self._deliver(upload, len(body)))

    def _promote_outside(self) -> None:
        models = [item.trained_model for item in self.service.history.values() if not item.is_running]
        if models:
            self.service.active = self.world.chance.choice(models)
            self.world.note(f"a person makes {self.service.active} active")

    def _start_outside(self) -> None:
        is_free = not any(item.is_running for item in self.service.history.values())
        if is_free and self.service.has_training_rows:
            self.service.begin(is_outside=True)

    def _acts(self) -> Acts:
        services = self.services
        return Acts(
            "sim", self.ports.known[NAME], services.ledger, services.workflow, self.service
        )

    def _act(self, words: str, act: Callable[[Acts], object]) -> None:
        try:
            act(self._acts())
            self.world.note(f"a person: {words}")
        except (FlywheelLoopError, Killed):
            return

    def _pause(self) -> None:
        self._act("pause", lambda acts: acts.pause("by hand", self.world.now))
        self.world.later(7200, "person", self._resume)

    def _resume(self) -> None:
        self._act("resume", lambda acts: acts.resume(self.world.now))

    def _retry(self) -> None:
        self._act("retry", lambda acts: acts.retry(None, "by hand", self.world.now))

    def _withdraw(self) -> None:
        def withdraw(acts: Acts) -> None:
            rows = acts.ledger.uploads.newest(NAME, 50)
            chosen = [row for row in rows if row.state in {UploadState.STAGED, UploadState.SEALED}]
            if chosen:
                acts.withdraw([self.world.chance.choice(chosen)], "by hand", self.world.now)

        self._act("withdraw", withdraw)

    def _repair(self) -> None:
        """In the calm somebody resumes what paused and retries what failed, until all is well."""
        self._resume()
        self._retry()
        self.world.later(4 * 3600, "person", self._repair)

    # What calls the handlers.

    def _schedule(self) -> None:
        self._survived("reconcile", lambda: reconcile(self.services))
        # Every quarter of an hour; in the calm, where nothing new happens, less often.
        self.world.later(3600 if self.world.is_calm else 900, "schedule", self._schedule)

    def _deliver(self, upload: ObjectVersion, size_bytes: int, delivery: int = 1) -> None:
        done = self._survived(
            f"register {upload.version_id}", lambda: register(self.services, upload, size_bytes)
        )
        if not done and delivery < _DELIVERIES:
            self.world.later(
                _AGAIN_SECONDS, "upload", lambda: self._deliver(upload, size_bytes, delivery + 1)
            )

    def _digest(self, flywheel: str, delivery: int = 1) -> None:
        if not self._survived("digest", lambda: send_digests(self.services, flywheel)):
            if delivery < _DELIVERIES:
                self.world.later(720, "digest", lambda: self._digest(flywheel, delivery + 1))

    def _close_late(self, payload: str) -> None:
        execution = json.loads(payload)["execution"]
        failure = execution["failure"] or {}
        self._survived("close, late", lambda: self._close(execution["batch"], failure))

    def _close(self, batch: int, failure: dict[str, str]) -> Any:
        return close(
            self.services,
            NAME,
            batch,
            error=failure.get("error", ""),
            cause=failure.get("cause", ""),
        )

    def _survived(self, words: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except Killed:
            return False
        except FlywheelLoopError as error:
            self.world.note(f"{words}: {type(error).__name__}")
            return False
        return True

    def _begin(self, name: str, document: str) -> None:
        told = json.loads(document)
        execution = Execution(self, name, told["batch"], told["looks"]["left"])
        self.world.later(60, "workflow", lambda: execution.seal())


@dataclass(slots=True)
class Execution:
    """One run of the workflow: its states, their retries and catches.

    *Source*: infra/iteration_workflow.py, whose rendered form is a golden file.
    """

    history: History
    name: str
    batch: int
    looks: int
    datasets: list[str] = field(default_factory=list)

    def seal(self) -> None:
        """SealBatch, after Gather."""

        def then(answer: dict[str, Any]) -> None:
            self.datasets = answer["datasets"]
            if answer["is_empty"]:
                self.close({})
            else:
                self.later(self.await_datasets)

        self.invoke(lambda: seal(self.history.services, NAME, self.batch), then)

    def await_datasets(self) -> None:
        """AwaitDatasets: look until all are complete or one has failed."""
        statuses = {self.history.service.datasets[arn].status for arn in self.datasets}
        if "FAILED" in statuses:
            self.close({"error": "DatasetFailed", "cause": "by chance"})
        elif "CREATING" in statuses:
            self.later(self.await_datasets)
        else:
            self.start()

    def start(self) -> None:
        """StartIteration; asked again while a foreign iteration runs."""

        def then(answer: dict[str, Any]) -> None:
            if answer["is_started"]:
                self.later(lambda: self.await_iteration(answer["iteration_id"]))
            else:
                self.later(self.start)

        self.invoke(lambda: start(self.history.services, NAME, self.batch), then)

    def await_iteration(self, iteration_id: str) -> None:
        """AwaitIteration: look until it is terminal."""
        iteration = self.history.service.history[iteration_id]
        if iteration.is_running:
            self.later(lambda: self.await_iteration(iteration_id))
        elif iteration.status == "COMPLETED":
            self.invoke(
                lambda: compare(self.history.services, NAME, self.batch), lambda _: self.close({})
            )
        else:
            self.close({"error": f"Iteration{iteration.status}", "cause": iteration.message})

    def close(self, failure: dict[str, str]) -> None:
        """CloseBatch; where it fails for good the execution does, and the schedule closes."""

        def end(status: str) -> None:
            told = failure or {"error": "", "cause": ""}
            self.history.ports.executions.statuses[self.name] = (
                status,
                told["error"],
                told["cause"],
            )

        self.invoke(
            lambda: self.history._close(self.batch, failure),
            lambda _: end("FAILED" if failure else "SUCCEEDED"),
            lambda _: end("FAILED"),
        )

    def later(self, state: Callable[[], None], seconds: float = 60) -> None:
        """Go on with a state after a time."""
        self.history.world.later(seconds, "workflow", state)

    def invoke(
        self,
        act: Callable[[], Any],
        then: Callable[[Any], None],
        caught: Callable[[dict[str, str]], None] | None = None,
        tries: int = 1,
    ) -> None:
        """Run a function's state: retry what passes, catch what does not."""
        try:
            answer = act()
        except (Killed, ServiceBusyError, ConcurrentChangeError) as error:
            most = _LOST_RETRIES if isinstance(error, Killed) else _RETRIES
            if tries <= most:
                self.later(lambda: self.invoke(act, then, caught, tries + 1), 2.0**tries)
                return
            (caught or self.close)({"error": type(error).__name__, "cause": str(error)})
            return
        except (FlywheelLoopError, ActRefusedError) as error:
            (caught or self.close)({"error": type(error).__name__, "cause": str(error)})
            return
        then(answer)

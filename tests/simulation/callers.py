"""What calls the handlers: queues, the schedule, the state machine, and functions themselves.

Each call is a process of its own that may die or time out; what happens then is the caller's
documented way of trying again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapters.services import Services
from close_batch.handler import close
from compare_models.handler import compare
from flywheel.errors import ConcurrentChangeError, FlywheelLoopError, ServiceBusyError
from reconcile.handler import reconcile, send_digests
from register_upload.handler import register
from seal_batch.handler import seal
from start_iteration.handler import start
from tests.simulation.memory_channels import MemoryExecutions, Message
from tests.simulation.memory_ports import MemoryPorts
from tests.simulation.state_machine import Document, StateFailedError, StateMachine, definition
from tests.simulation.world import KilledError, World

_LONG_SECONDS, _QUICK_SECONDS = 900, 120
"""As in infra/stack.py."""

_BUSY_SECONDS = 900
_SCHEDULE_SECONDS, _CALM_SCHEDULE_SECONDS = 900, 3600
_MACHINE = definition()
_MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:sim"


class AbortedError(BaseException):
    """A person stopped an execution."""


@dataclass(slots=True)
class Callers:
    """Calls the real handlers.

    Parameters
    ----------
    world : World
    """

    world: World
    services: Services = field(init=False)
    ports: MemoryPorts = field(init=False)

    def register_upload(self, message: Message) -> bool:
        """Handle a message of the uploads queue."""
        upload, size_bytes = message.body

        def handle() -> None:
            try:
                register(self.services, upload, size_bytes)
            except (ServiceBusyError, ConcurrentChangeError):
                self.ports.messages.deliver_later(message.handle, _BUSY_SECONDS)
                raise

        return self.survived(f"register {upload.version_id}", _LONG_SECONDS, handle)

    def send_digests(self, message: Message) -> bool:
        """Handle a message of the queue of notices that are due."""
        return self.survived(
            "digests", _LONG_SECONDS, lambda: send_digests(self.services, message.body)
        )

    def close_late(self, payload: str) -> bool:
        """Run CloseBatch as another function asked for."""
        event = json.loads(payload)
        return self.survived("close, late", _QUICK_SECONDS, lambda: self._close(event))

    def schedule(self) -> None:
        """Run reconcile, now and for ever."""
        self.reconcile()
        pause = _CALM_SCHEDULE_SECONDS if self.world.is_calm else _SCHEDULE_SECONDS
        self.world.later(pause, self.schedule)

    def reconcile(self) -> None:
        """Run reconcile once."""
        self.survived("reconcile", _LONG_SECONDS, lambda: reconcile(self.services))

    def execute(self, name: str, document: str) -> None:
        """Run one execution of the state machine to its end."""
        executions = self.ports.executions

        def unless_aborted(act: Callable[[Document], Any]) -> Callable[[Document], Any]:
            def task(given: Document) -> Any:
                if executions.statuses[name][0] == "ABORTED":
                    raise AbortedError
                return act(given)

            return task

        tasks = {task: unless_aborted(act) for task, act in self._tasks().items()}
        machine = StateMachine(self.world, tasks, {"StateMachine": {"Id": _MACHINE_ARN}})
        try:
            machine.run(_MACHINE, json.loads(document))
            self._end(executions, name, ("SUCCEEDED", "", ""))
        except StateFailedError as error:
            self._end(executions, name, ("FAILED", error.name, error.cause))
        except AbortedError:
            self.world.note(f"execution {name} was stopped")

    def survived(self, words: str, timeout_seconds: int, act: Callable[[], object]) -> bool:
        """Run a process; says whether it ended well."""
        try:
            with self.world.process(timeout_seconds):
                act()
        except KilledError:
            return False
        except FlywheelLoopError as error:
            self.world.note(f"{words}: {type(error).__name__}: {error}")
            return False
        except Exception as error:
            self.world.breaks("functions fail with errors of ours", f"{words}: {error!r}")
            return False
        return True

    def _end(self, executions: MemoryExecutions, name: str, status: tuple[str, str, str]) -> None:
        executions.statuses[name] = status
        self.world.note(f"execution {name} is {' '.join(status[:2])}")

    def _tasks(self) -> dict[str, Callable[[Document], Any]]:
        def process(
            timeout_seconds: int, act: Callable[[Document], Any]
        ) -> Callable[[Document], Any]:
            def task(given: Document) -> Any:
                with self.world.process(timeout_seconds):
                    return act(given)

            return task

        found, service = self.services, self.ports.service
        return {
            "SealBatch": process(_LONG_SECONDS, lambda e: seal(found, e["flywheel"], e["batch"])),
            "StartIteration": process(
                _QUICK_SECONDS,
                lambda e: start(found, e["flywheel"], e["batch"], e.get("looks_left")),
            ),
            "CompareModels": process(
                _QUICK_SECONDS, lambda e: compare(found, e["flywheel"], e["batch"])
            ),
            "CloseBatch": process(_QUICK_SECONDS, self._close),
            "dynamodb:getItem": self._registrations,
            "aws-sdk:comprehend:describeDataset": lambda e: service.describe_dataset(
                e["DatasetArn"]
            ),
            "aws-sdk:comprehend:describeFlywheelIteration": lambda e: service.describe_iteration(
                e["FlywheelIterationId"]
            ),
        }

    def _close(self, event: Document) -> Document:
        execution = event["execution"]
        failure = execution.get("failure") or {}
        return close(
            self.services,
            execution["flywheel"],
            execution["batch"],
            error=failure.get("error", ""),
            cause=failure.get("cause", ""),
        )

    def _registrations(self, given: Document) -> Document:
        row = self.ports.table.look(given["Key"]["pk"]["S"], given["Key"]["sk"]["S"])
        if row is None:
            return {}
        return {"Item": {"registrations": {"N": str(row["registrations"])}}}

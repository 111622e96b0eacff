"""What calls the handlers: queues, the schedule, the state machine, and functions themselves.

Each call is a process of its own that may die or time out; what happens then is the caller's
documented way of trying again.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from answer_approval import handler as answer_approval
from application.reconciliation import reconcile as reconcile_module
from application.reconciliation.reconcile import send_digests
from application.services import Services
from ask_approval import handler as ask_approval
from change_champion import handler as change_champion
from close_batch import handler as close_batch
from compare_models import handler as compare_models
from flywheel.batches.uploads import ObjectVersion
from flywheel.errors import FlywheelLoopError
from rebuild_flywheel import handler as rebuild_flywheel
from reconcile import handler as reconcile
from register_upload import handler as register_upload
from seal_batch import handler as seal_batch
from start_iteration import handler as start_iteration
from tests.functions.reconciling import reconciled
from tests.simulation.memory.channels import MemoryExecutions, Message
from tests.simulation.memory.ports import MemoryPorts
from tests.simulation.simulator import KilledError, Simulator
from tests.simulation.state_machine import (
    UNKNOWN_ERROR,
    Document,
    StateFailedError,
    StateMachine,
    definition,
)
from tests.stack_template import function_timeouts, schedule_seconds

_HANDLERS: Mapping[str, ModuleType] = {
    "SealBatch": seal_batch,
    "StartIteration": start_iteration,
    "CompareModels": compare_models,
    "CloseBatch": close_batch,
}
_CALM_SCHEDULE_SECONDS = 3600
_MACHINE = definition()
_MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:sim"
_CONTEXT = SimpleNamespace(
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function"
)
"""What Lambda passes beside the event, where a function looks at it."""


class AbortedError(BaseException):
    """A person stopped an execution."""


@dataclass(slots=True)
class Callers:
    """Calls the real handlers.

    Parameters
    ----------
    simulator : Simulator
    """

    simulator: Simulator
    services: Services = field(init=False)
    ports: MemoryPorts = field(init=False)

    @contextmanager
    def wired(self) -> Iterator[None]:
        """Let handlers find this simulator's services, and measure nothing."""
        with ExitStack() as stack:
            others = (ask_approval, register_upload, rebuild_flywheel)
            for module in (*_HANDLERS.values(), *others, answer_approval, change_champion):
                stack.enter_context(patch.object(module, "services", self._found))
            stack.enter_context(patch.object(reconcile_module, "single_metric", _no_metric))
            yield

    def register_upload(self, message: Message) -> bool:
        """Handle a message of the uploads queue."""
        upload, size_bytes = message.body
        record = SQSRecord(
            {
                "body": _event_of(upload, size_bytes),
                "receiptHandle": message.handle,
                "attributes": {"ApproximateReceiveCount": str(message.deliveries)},
            }
        )
        return self.survived(
            f"register {upload.version_id}",
            register_upload,
            lambda: register_upload._register_record(record),
        )

    def send_digests(self, message: Message) -> bool:
        """Handle a message of the queue of notices that are due."""
        return self.survived(
            "digests",
            reconcile,
            lambda: send_digests(self.services, message.body),
        )

    def close_late(self, payload: str) -> bool:
        """Run CloseBatch at the request of another function."""
        event = json.loads(payload)
        return self.survived(
            "close, late",
            close_batch,
            lambda: inspect.unwrap(close_batch.handler)(event, None),
        )

    def rebuild_late(self, payload: str) -> bool:
        """Run RebuildFlywheel at the request of another function."""
        event = json.loads(payload)
        handle = inspect.unwrap(rebuild_flywheel.handler)
        return self.survived("rebuild", rebuild_flywheel, lambda: handle(event, None))

    def compare_late(self, payload: str) -> bool:
        """Run CompareModels at the request of another function."""
        event = json.loads(payload)
        handle = inspect.unwrap(compare_models.handler)
        return self.survived("judge outside", compare_models, lambda: handle(event, None))

    def change_late(self, payload: str) -> bool:
        """Run ChangeChampion at the request of another function."""
        return self.change(json.loads(payload))

    def change(self, event: Document) -> bool:
        """Run ChangeChampion."""
        handle = inspect.unwrap(change_champion.handler)
        return self.survived("change", change_champion, lambda: handle(event, _CONTEXT))

    def answer_late(self, payload: str) -> bool:
        """Run AnswerApproval at the request of another function."""
        return self.answer(json.loads(payload))

    def answer(self, event: Document) -> bool:
        """Run AnswerApproval."""
        handle = inspect.unwrap(answer_approval.handler)
        return self.survived("answer", answer_approval, lambda: handle(event, _CONTEXT))

    def schedule(self) -> None:
        """Run reconcile, now and for ever."""
        self.reconcile()
        is_calm = self.simulator.is_calm
        pause = _CALM_SCHEDULE_SECONDS if is_calm else schedule_seconds("ReconcileSchedule")
        self.simulator.later(pause, self.schedule)

    def reconcile(self) -> None:
        """Run reconcile once."""
        self.survived("reconcile", reconcile, lambda: reconciled(self.services))

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
        context = {"StateMachine": {"Id": _MACHINE_ARN}}
        machine = StateMachine(self.simulator, tasks, context, executions.tokens)
        try:
            machine.run(_MACHINE, json.loads(document))
            self._end(executions, name, ("SUCCEEDED", "", ""))
        except StateFailedError as error:
            self._end(executions, name, ("FAILED", error.name, error.cause))
        except AbortedError:
            self.simulator.note(f"execution {name} was stopped")

    def survived(self, words: str, module: ModuleType, act: Callable[[], object]) -> bool:
        """Run a process of a function; says whether it ended well."""
        try:
            with self._process(module):
                act()
        except KilledError:
            return False
        except FlywheelLoopError as error:
            self.simulator.note(f"{words}: {type(error).__name__}: {error}")
            return False
        except Exception as error:
            self.simulator.breaks(UNKNOWN_ERROR, f"{words}: {error!r}")
            return False
        return True

    def _end(self, executions: MemoryExecutions, name: str, status: tuple[str, str, str]) -> None:
        executions.statuses[name] = status
        self.simulator.note(f"execution {name} is {' '.join(status[:2])}")

    def _found(self, actor: str, **_: str) -> Services:
        return self.services

    def _tasks(self) -> dict[str, Callable[[Document], Any]]:
        flywheels = self.ports.account.flywheels
        return {
            **{name: self._task(module) for name, module in _HANDLERS.items()},
            "lambda:invoke.waitForTaskToken": lambda e: self._task(ask_approval)(e["Payload"]),
            "dynamodb:getItem": self._registrations,
            "aws-sdk:comprehend:describeDataset": lambda e: flywheels[
                e["DatasetArn"].split("/dataset/")[0]
            ].describe_dataset(e["DatasetArn"]),
            "aws-sdk:comprehend:describeFlywheelIteration": lambda e: flywheels[
                e["FlywheelArn"]
            ].describe_iteration(e["FlywheelIterationId"]),
            "aws-sdk:comprehend:describeDocumentClassificationJob": (
                lambda e: self.ports.account.jobs.describe_classification(e["JobId"])
            ),
        }

    def _process(self, module: ModuleType) -> AbstractContextManager[None]:
        """Be a process of the function of a handler."""
        construct_id = _construct_id(module)
        return self.simulator.process(function_timeouts()[construct_id], construct_id)

    def _task(self, module: ModuleType) -> Callable[[Document], Any]:
        # Without what Powertools puts around it.
        handle = inspect.unwrap(module.handler)

        def task(given: Document) -> Any:
            with self._process(module):
                return handle(given, None)

        return task

    def _registrations(self, given: Document) -> Document:
        row = self.ports.table.look(given["Key"]["pk"]["S"], given["Key"]["sk"]["S"])
        if row is None:
            return {}
        return {"Item": {"registrations": {"N": str(row["registrations"])}}}


def _construct_id(module: ModuleType) -> str:
    """Return what the stack calls the function of a handler."""
    folder = module.__name__.partition(".")[0]
    return folder.title().replace("_", "")


def _event_of(upload: ObjectVersion, size_bytes: int) -> str:
    """Return what EventBridge says of a new object.

    Notes
    -----
    *Source*: EventBridge events reference, "Object Created" of Amazon S3.
    """
    object_detail = {"key": upload.key, "size": size_bytes, "version-id": upload.version_id}
    detail = {"bucket": {"name": upload.bucket}, "object": object_detail}
    return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})


@contextmanager
def _no_metric(**_: object) -> Iterator[Mock]:
    yield Mock()

"""Adapter of moto.stepfunctions: state machines call the local cloud as their role, in fast time.

The gaps: CloudFormation creates a machine in a backend that does not execute; calls go to a fixed
address with invented keys; errors of an SDK call are named ``comprehend.X`` instead of
``Comprehend.X``; times in results cannot be written as JSON; waits and retries are not scaled;
executions without a name all get the same one. Decides these, and how executions end when the cloud
stops. Must not know any workflow. Read next: lambda_invoke.py.

Notes
-----
*Source*: Step Functions Developer Guide, "Learning to use AWS service SDK integrations" and
"Handling errors in Step Functions workflows".
"""

import datetime
import importlib
import pkgutil
import sys
import threading
import time
import uuid
from typing import Any

import moto.stepfunctions.parser.asl.component.state.exec as states_package
from moto.core.config import default_user_config
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from local_cloud.background import Background
from local_cloud.patches import Patches
from local_cloud.sessions import Sessions
from local_cloud.settings import CloudSettings

_ASL = "moto.stepfunctions.parser.asl"
_TASKS = f"{_ASL}.component.state.exec.state_task.service"
_ERROR_NAMES = {
    "comprehend": "Comprehend",
    "dynamodb": "DynamoDb",
    "lambda": "Lambda",
    "s3": "S3",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
}
_STOP_SECONDS = 5.0
_JOIN_SECONDS = 0.05


class StateMachines:
    """Connects moto's interpreter of the Amazon States Language to the local cloud."""

    def __init__(self, settings: CloudSettings, sessions: Sessions, background: Background) -> None:
        self._settings = settings
        self._sessions = sessions
        self._background = background
        self._starting = threading.Lock()

    def install(self, patches: Patches) -> None:
        """Close these gaps."""
        patches.replace_item(default_user_config, "stepfunctions", {"execute_state_machine": True})
        for module in pkgutil.walk_packages(states_package.__path__, f"{states_package.__name__}."):
            importlib.import_module(module.name)
        patches.replace(
            "moto.stepfunctions.models:stepfunctions_backends", stepfunctions_parser_backends
        )
        patches.replace(f"{_TASKS}.state_task_service_aws_sdk:_SERVICE_ERROR_NAMES", _ERROR_NAMES)
        self._install_clients(patches)
        self._install_times(patches)
        self._install_executions(patches)

    def stop(self) -> None:
        """Stop every running execution and wait for its threads."""
        backend = stepfunctions_parser_backends[self._settings.account_id][self._settings.region]
        now = datetime.datetime.now(datetime.UTC)
        for machine in backend.state_machines:
            for execution in machine.executions:
                environment = execution.exec_worker and execution.exec_worker.env
                if environment and execution.status == "RUNNING":
                    execution.stop(now, "LocalCloudStopped", "the local cloud was stopped")
                    _interrupt_callbacks(environment)

    def join(self) -> None:
        """Wait, for a few seconds, until the threads of stopped executions have ended."""
        ends_at = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < ends_at:
            # moto lists a thread before it starts, and an execution may have begun meanwhile.
            self.stop()
            running = [thread for thread in TMP_THREADS if _is_pending(thread)]
            if not running:
                break
            for thread in running:
                if thread.ident is not None:
                    thread.join(_JOIN_SECONDS)
        TMP_THREADS.clear()

    def _install_clients(self, patches: Patches) -> None:
        sessions = self._sessions

        def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
            role_arn = state_credentials.role_arn if state_credentials else ""
            return sessions.client(service, role_arn=role_arn, session_name="states")

        # The function is imported by name into each module that calls a service.
        for name, module in list(sys.modules.items()):
            if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
                patches.replace_attribute(module, "boto_client_for", client_for)

        def eval_service_task(task: Any, env: Any, *args: Any, **kwargs: Any) -> None:
            original(task, env, *args, **kwargs)
            env.stack.append(_as_json(env.stack.pop()))

        original = patches.replace(
            f"{_TASKS}.state_task_service_aws_sdk:StateTaskServiceAwsSdk._eval_service_task",
            eval_service_task,
        )

    def _install_times(self, patches: Patches) -> None:
        settings = self._settings
        background = self._background

        def eval_wait(wait: Any, env: Any) -> None:
            ends_at = time.monotonic() + settings.scaled(wait._get_wait_seconds(env=env))
            while env.is_running():
                left = ends_at - time.monotonic()
                if left <= 0:
                    return
                env.program_state_event.wait(left)

        class ScaledTime:
            """Stands for the module `time` where a retry sleeps."""

            @staticmethod
            def sleep(seconds: float) -> None:
                background.wait(settings.scaled(seconds))

        patches.replace(
            f"{_ASL}.component.state.wait.wait_function.wait_function:WaitFunction._eval_body",
            eval_wait,
        )
        patches.replace(f"{_ASL}.component.common.retry.retrier_decl:time", ScaledTime)

    def _install_executions(self, patches: Patches) -> None:
        starting = self._starting

        def start_execution(
            backend: Any, arn: str, name: str | None = None, *args: Any, **kwargs: Any
        ) -> Any:
            with starting:
                return original_start(backend, arn, name or str(uuid.uuid4()), *args, **kwargs)

        def details(execution: Any) -> Any:
            described = original_details(execution)
            described.start_time = _as_json(described.start_time)
            return described

        original_start = patches.replace(
            "moto.stepfunctions.parser.models:StepFunctionsParserBackend.start_execution",
            start_execution,
        )
        original_details = patches.replace(
            "moto.stepfunctions.parser.backend.execution:Execution.get_start_execution_details",
            details,
        )


def _is_pending(thread: threading.Thread) -> bool:
    return thread.ident is None or thread.is_alive()


def _interrupt_callbacks(environment: Any) -> None:
    for endpoint in list(environment.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(part) for part in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    return value

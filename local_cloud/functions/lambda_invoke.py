"""Adapter of moto.awslambda: functions really run, in our runtime instead of Docker.

The gap: moto runs a function in a Docker container for each call, and waits for it even when the
call is asynchronous. It marks a failure as ``Handled``, and drops LoggingConfig, retries and
destinations. Decides the response to each kind of invocation, and how asynchronous ones are
retried. Must not know how a process is run. Read next: lambda_runtime.py.

Notes
-----
*Source*: Lambda API reference, "Invoke"; Developer Guide, "How Lambda handles errors and retries
with asynchronous invocation" (two retries, after one and two minutes).
"""

import base64
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends

from local_cloud.background import Background
from local_cloud.functions.lambda_environment import FunctionDefinition, InvocationResult
from local_cloud.functions.lambda_runtime import LambdaRuntime
from local_cloud.patches import Patches
from local_cloud.sessions import Sessions
from local_cloud.settings import CloudSettings

_RETRY_DELAYS_SECONDS = (60.0, 120.0)
_TAIL_BYTES = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AsyncRules:
    """The handling of failed asynchronous invocations of a function."""

    retries: int = 2
    failure_target_arn: str = ""
    is_dead_letter_queue: bool = False


class LambdaService:
    """Invokes moto's functions in the runtime.

    Parameters
    ----------
    settings : CloudSettings
        Concurrency and the scale of retry delays.
    sessions : Sessions
        Credentials of the functions' roles.
    background : Background
        Runs asynchronous invocations.
    directory : Path
        The directory for unpacked functions.
    """

    def __init__(
        self,
        settings: CloudSettings,
        sessions: Sessions,
        background: Background,
        directory: Path,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._background = background
        self._log_streams: set[tuple[str, str]] = set()
        self.runtime = LambdaRuntime(
            directory,
            variables_for=self._variables_for,
            write_logs=self._write_logs,
        )

    def install(self, patches: Patches) -> None:
        """Run moto's functions in the runtime."""

        def invoke_lambda(function: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
            result = self.invoke(function, json.dumps(event or {}).encode())
            return result.payload.decode(), result.is_error, "\n".join(result.log_lines)

        def invoke(
            function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any
        ) -> bytes:
            return self.respond_to_invoke(function, body, request_headers, response_headers)

        patches.replace("moto.awslambda.models:LambdaFunction._invoke_lambda", invoke_lambda)
        patches.replace("moto.awslambda.models:LambdaFunction.invoke", invoke)

    def invoke(self, function: LambdaFunction, payload: bytes) -> InvocationResult:
        """Run a function once and wait for it."""
        return self.runtime.invoke(self._definition(function), payload)

    def warm_up(self) -> None:
        """Start the first process of every function, so that no event waits for one."""
        backend = lambda_backends[self._settings.account_id][self._settings.region]
        definitions = [self._definition(function) for function in backend.list_functions()]
        with ThreadPoolExecutor(max(1, len(definitions))) as threads:
            list(threads.map(self.runtime.warm, definitions))

    def invoke_later(self, function: LambdaFunction, payload: bytes) -> None:
        """Run a function in the background, retrying as asynchronous invocation does."""
        self._background.submit(self._invoke_with_retries, function, payload)

    def respond_to_invoke(
        self, function: LambdaFunction, body: Any, request_headers: Any, response_headers: Any
    ) -> bytes:
        """Respond to an Invoke request: at once, or with the function's result."""
        payload = body.encode() if isinstance(body, str) else body or b"{}"
        kind = request_headers.get("x-amz-invocation-type") or "RequestResponse"
        if kind == "Event":
            self.invoke_later(function, payload)
            return b""
        if kind == "DryRun":
            return b""
        result = self.invoke(function, payload)
        if result.is_error:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-executed-version"] = "$LATEST"
        tail = "\n".join(result.log_lines).encode()[-_TAIL_BYTES:]
        response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()
        return result.payload

    def _invoke_with_retries(self, function: LambdaFunction, payload: bytes) -> None:
        rules = getattr(function, "async_rules", AsyncRules())
        result = self.invoke(function, payload)
        for delay_seconds in _RETRY_DELAYS_SECONDS[: rules.retries]:
            if not result.is_error:
                return
            if self._background.wait(self._settings.scaled(delay_seconds)):
                return
            result = self.invoke(function, payload)
        if result.is_error:
            self._report_failure(function, payload, result, rules)

    def _report_failure(
        self, function: LambdaFunction, payload: bytes, result: InvocationResult, rules: AsyncRules
    ) -> None:
        arn = rules.failure_target_arn
        _log.warning("asynchronous invocation of %s failed for good", function.function_name)
        if not arn:
            return
        body = (
            payload.decode() if rules.is_dead_letter_queue else _record(function, payload, result)
        )
        service = arn.split(":")[2]
        client = self._sessions.client(
            service, role_arn=function.role, session_name=function.function_name
        )
        if service == "sqs":
            client.send_message(QueueUrl=self._sessions.queue_url(arn), MessageBody=body)
        else:
            client.publish(TopicArn=arn, Message=body)

    def _definition(self, function: LambdaFunction) -> FunctionDefinition:
        reserved = int(function.reserved_concurrency or self._settings.environments_per_function)
        variables = {name: str(value) for name, value in function.environment_vars.items()}
        return FunctionDefinition(
            name=function.function_name,
            arn=function.function_arn,
            handler=function.handler,
            runtime=function.run_time,
            role_arn=function.role,
            memory_megabytes=int(function.memory_size),
            timeout_seconds=float(function.timeout),
            variables=tuple(sorted(variables.items())),
            code=function.code_bytes,
            code_sha256=function.code_sha_256,
            log_group=function.logs_group_name,
            log_format=getattr(function, "log_format", "Text"),
            concurrency=max(1, min(reserved, self._settings.environments_per_function)),
        )

    def _variables_for(self, definition: FunctionDefinition) -> dict[str, str]:
        credentials = self._sessions.credentials(definition.role_arn, definition.name)
        region = self._settings.region
        variables = {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self._sessions.endpoint("lambda"),
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
        }
        if self._settings.comprehend_url:
            variables["AWS_ENDPOINT_URL_COMPREHEND"] = self._settings.comprehend_url
        return variables

    def _write_logs(
        self, definition: FunctionDefinition, stream: str, lines: Sequence[str]
    ) -> None:
        backend = logs_backends[self._settings.account_id][self._settings.region]
        if (definition.log_group, stream) not in self._log_streams:
            backend.ensure_log_group(definition.log_group)
            backend.create_log_stream(definition.log_group, stream)
            self._log_streams.add((definition.log_group, stream))
        now = int(unix_time_millis())
        events = [{"timestamp": now, "message": line} for line in lines]
        backend.put_log_events(definition.log_group, stream, events)


def _record(function: LambdaFunction, payload: bytes, result: InvocationResult) -> str:
    document = {
        "version": "1.0",
        "requestContext": {
            "requestId": result.request_id,
            "functionArn": f"{function.function_arn}:$LATEST",
            "condition": "RetriesExhausted",
        },
        "requestPayload": json.loads(payload),
        "responsePayload": json.loads(result.payload),
    }
    return json.dumps(document)

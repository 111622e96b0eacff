"""One execution environment: a process that runs one function, one event at a time.

Decides how the process is started, what environment it has, and what happens when it is too slow
or dies. Must not know moto. Read next: lambda_runtime.py, which has several of them per function.
"""

import contextlib
import datetime
import os
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from local_cloud.functions.runtime_api import Invocation, InvocationAnswer, RuntimeApi

# Lambda gives ten seconds; a busy machine that starts several processes at once needs more.
INIT_TIMEOUT_SECONDS = 60.0
_BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")
_INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition:
    """The configuration and code of a function, from which Lambda starts an environment.

    Parameters
    ----------
    name, arn, handler, runtime : str
        As in the template.
    role_arn : str
        Execution role.
    memory_megabytes : int
        Passed to the function; not enforced.
    timeout_seconds : float
        The process is ended when an invocation takes longer.
    variables : tuple of (str, str)
        Environment variables.
    code : bytes
        The asset's zip.
    code_sha256 : str
        Identifies a version of the code.
    log_group, log_format : str
        Group and format of its log; the format is ``Text`` or ``JSON``.
    concurrency : int
        Most environments that run at once.
    """

    name: str
    arn: str
    handler: str
    runtime: str
    role_arn: str
    memory_megabytes: int
    timeout_seconds: float
    variables: tuple[tuple[str, str], ...]
    code: bytes
    code_sha256: str
    log_group: str
    log_format: str
    concurrency: int


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """The result of an invocation, with its log lines."""

    payload: bytes
    is_error: bool
    request_id: str
    log_lines: tuple[str, ...]


class FunctionEnvironment:
    """A warm process for one function.

    Parameters
    ----------
    definition : FunctionDefinition
        The function.
    task_root : Path
        Folder with its unpacked asset.
    work_directory : Path
        The environment's own folder, for its log and temporary files.
    cloud_variables : dict
        Endpoints, region and credentials.
    """

    def __init__(
        self,
        definition: FunctionDefinition,
        *,
        task_root: Path,
        work_directory: Path,
        cloud_variables: dict[str, str],
    ) -> None:
        today = datetime.datetime.now(datetime.UTC).strftime("%Y/%m/%d")
        self.log_stream = f"{today}/[$LATEST]{uuid.uuid4().hex}"
        self.is_usable = True
        self._definition = definition
        self._api = RuntimeApi()
        work_directory.mkdir(parents=True)
        self._log_path = work_directory / "log"
        self._log_offset = 0
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_BOOTSTRAP)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=task_root,
                env=self._variables(task_root, work_directory, cloud_variables),
                start_new_session=True,
            )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def wait_until_initialized(self) -> None:
        """Wait until the handler is loaded, or failed to load."""
        self._api.is_initialized.wait(INIT_TIMEOUT_SECONDS)

    def invoke(self, payload: bytes) -> InvocationResult:
        """Run the function once; only one caller at a time."""
        invocation = Invocation(
            payload, self._definition.arn, timeout_seconds=self._definition.timeout_seconds
        )
        self._api.hand_over(invocation)
        if self._process.poll() is not None:
            self._api.process_ended(self._process.returncode)
        if not invocation.received.wait(INIT_TIMEOUT_SECONDS):
            self._end_too_slow(invocation, INIT_TIMEOUT_SECONDS)
        elif not invocation.ended.wait(self._definition.timeout_seconds):
            self._end_too_slow(invocation, self._definition.timeout_seconds)
        answer = invocation.answer or InvocationAnswer(b"null", is_error=True)
        if self._process.poll() is not None:
            self.is_usable = False
        return InvocationResult(
            answer.payload, answer.is_error, invocation.request_id, self._new_log_lines()
        )

    def stop(self) -> None:
        """End the process, its threads and its runtime API."""
        self.is_usable = False
        self._kill()
        self._watcher.join()
        if self._process.stdin:
            self._process.stdin.close()
        self._api.stop()

    def _end_too_slow(self, invocation: Invocation, limit_seconds: float) -> None:
        self.is_usable = False
        invocation.fail(
            "Sandbox.Timedout",
            f"RequestId: {invocation.request_id} Error: "
            f"Task timed out after {limit_seconds:.2f} seconds",
        )
        self._kill()

    def _kill(self) -> None:
        # The process has its own session, so the children of the function end, too.
        with contextlib.suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _watch(self) -> None:
        status = self._process.wait()
        self._api.process_ended(status)

    def _new_log_lines(self) -> tuple[str, ...]:
        with self._log_path.open("rb") as log:
            log.seek(self._log_offset)
            written = log.read()
        self._log_offset += len(written)
        text = written.decode(errors="replace").replace("\r", "\n")
        return tuple(line for line in text.split("\n") if line)

    def _variables(
        self, task_root: Path, work_directory: Path, cloud_variables: dict[str, str]
    ) -> dict[str, str]:
        definition = self._definition
        inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        reserved = {
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "HOME": str(work_directory),
            "TMPDIR": str(work_directory),
            "LAMBDA_TASK_ROOT": str(task_root),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "_HANDLER": definition.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{definition.runtime}",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": definition.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(definition.memory_megabytes),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": definition.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_LOG_FORMAT": definition.log_format,
            # No daemon receives traces here, and a profile of the operator must not be used.
            "POWERTOOLS_TRACE_DISABLED": "true",
            "AWS_XRAY_SDK_ENABLED": "false",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return {**inherited, **dict(definition.variables), **cloud_variables, **reserved}

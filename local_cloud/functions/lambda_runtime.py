"""The Lambda service's data plane: it assigns events to processes.

Decides how many environments a function has, and when one is started or replaced. Where all of
them are busy, a caller waits; AWS would throttle it. Must not know moto. Read next:
lambda_environment.py, then lambda_invoke.py, which connects moto.
"""

import io
import threading
import uuid
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from local_cloud.functions.lambda_environment import (
    FunctionDefinition,
    FunctionEnvironment,
    InvocationResult,
)

LogWriter = Callable[[FunctionDefinition, str, Sequence[str]], None]
VariablesFor = Callable[[FunctionDefinition], dict[str, str]]


class LambdaRuntime:
    """Runs functions in warm processes.

    Parameters
    ----------
    directory : Path
        The directory for unpacked assets and for the files of environments.
    variables_for : callable
        Returns endpoints, region and the role's credentials for a function.
    write_logs : callable
        Takes the function, the log stream's name and the lines of one invocation.
    """

    def __init__(
        self, directory: Path, *, variables_for: VariablesFor, write_logs: LogWriter
    ) -> None:
        self._directory = directory
        self._variables_for = variables_for
        self._write_logs = write_logs
        self._lock = threading.Lock()
        self._pools: dict[str, _FunctionPool] = {}
        self._is_stopped = False

    def invoke(self, definition: FunctionDefinition, payload: bytes) -> InvocationResult:
        """Run a function once and return its result.

        Raises
        ------
        RuntimeError
            The cloud is stopping.
        """
        pool, environment = self._acquired(definition)
        try:
            result = environment.invoke(payload)
        finally:
            pool.release(environment)
        self._write_logs(definition, environment.log_stream, _with_frame(result))
        return result

    def warm(self, definition: FunctionDefinition) -> None:
        """Start one environment of a function ahead of its first event, and wait for it."""
        pool, environment = self._acquired(definition)
        try:
            environment.wait_until_initialized()
        finally:
            pool.release(environment)

    def stop(self) -> None:
        """End every process; invocations in flight fail."""
        with self._lock:
            self._is_stopped = True
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.stop()

    def _acquired(
        self, definition: FunctionDefinition
    ) -> tuple["_FunctionPool", FunctionEnvironment]:
        while True:
            pool = self._pool(definition)
            environment = pool.acquire()
            if environment is not None:
                return pool, environment

    def _pool(self, definition: FunctionDefinition) -> "_FunctionPool":
        with self._lock:
            if self._is_stopped:
                raise RuntimeError("the local cloud is stopping")
            pool = self._pools.get(definition.name)
            if pool is None or pool.definition != definition:
                if pool is not None:
                    pool.retire()
                pool = _FunctionPool(definition, self._directory, self._variables_for(definition))
                self._pools[definition.name] = pool
            return pool


class _FunctionPool:
    """The environments of one function with one code and configuration."""

    def __init__(
        self, definition: FunctionDefinition, directory: Path, cloud_variables: dict[str, str]
    ) -> None:
        self.definition = definition
        self._cloud_variables = cloud_variables
        self._home = directory / definition.name
        self._task_root = _unpacked(definition, self._home)
        self._available = threading.Semaphore(definition.concurrency)
        self._lock = threading.Lock()
        self._idle: list[FunctionEnvironment] = []
        self._all: set[FunctionEnvironment] = set()
        self._is_retired = False

    def acquire(self) -> FunctionEnvironment | None:
        """Wait for an environment; None when the function was replaced meanwhile."""
        self._available.acquire()
        with self._lock:
            if self._is_retired:
                self._available.release()
                return None
            if self._idle:
                return self._idle.pop()
            try:
                environment = self._new_environment()
            except BaseException:
                self._available.release()
                raise
            self._all.add(environment)
            return environment

    def release(self, environment: FunctionEnvironment) -> None:
        with self._lock:
            is_reusable = environment.is_usable and not self._is_retired
            if is_reusable:
                self._idle.append(environment)
            else:
                self._all.discard(environment)
        if not is_reusable:
            environment.stop()
        self._available.release()

    def _new_environment(self) -> FunctionEnvironment:
        return FunctionEnvironment(
            self.definition,
            task_root=self._task_root,
            work_directory=self._home / f"environment-{uuid.uuid4().hex}",
            cloud_variables=self._cloud_variables,
        )

    def retire(self) -> None:
        """End idle environments now and busy ones when they are released."""
        with self._lock:
            self._is_retired = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for environment in idle:
            environment.stop()

    def stop(self) -> None:
        """End every environment now."""
        self.retire()
        with self._lock:
            busy = list(self._all)
        for environment in busy:
            environment.stop()


def _unpacked(definition: FunctionDefinition, home: Path) -> Path:
    digest = "".join(character for character in definition.code_sha256 if character.isalnum())[:16]
    target = home / f"code-{digest}"
    if not target.exists():
        with zipfile.ZipFile(io.BytesIO(definition.code)) as archive:
            archive.extractall(target)
    return target


def _with_frame(result: InvocationResult) -> list[str]:
    return [
        f"START RequestId: {result.request_id} Version: $LATEST",
        *result.log_lines,
        f"END RequestId: {result.request_id}",
    ]

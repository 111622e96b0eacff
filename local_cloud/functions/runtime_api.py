"""The Lambda Runtime API for one execution environment, as awslambdaric calls it.

Decides how an invocation reaches the function's process, and how the response returns. No other
process can take part: every path begins with a secret that only the function's process has, and a
response names its invocation. Must not know how the process is started, nor moto. Read next:
lambda_environment.py.

Notes
-----
*Source*: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import json
import queue
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from comprehend_engine.api.loopback import foreign_header

_RUNTIME = "2018-06-01/runtime"


@dataclass(frozen=True, slots=True)
class InvocationAnswer:
    """The response of an invocation: the payload, and whether the function failed."""

    payload: bytes
    is_error: bool


@dataclass(slots=True)
class Invocation:
    """One event for a function's process, and its response."""

    payload: bytes
    function_arn: str
    timeout_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    received: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    answer: InvocationAnswer | None = None

    def end(self, payload: bytes, *, is_error: bool) -> None:
        """Record the response; the first one counts."""
        if self.answer is None:
            self.answer = InvocationAnswer(payload, is_error)
        self.received.set()
        self.ended.set()

    def fail(self, error_type: str, message: str) -> None:
        """Record a failure that the runtime, not the handler, reports."""
        document = {"errorType": error_type, "errorMessage": message}
        self.end(json.dumps(document).encode(), is_error=True)


class RuntimeApi:
    """An HTTP server that gives invocations to one process and receives its responses."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current: Invocation | None = None
        self._init_failure: bytes | None = None
        self._secret = secrets.token_urlsafe(32)
        self.is_initialized = threading.Event()
        self._server = _RuntimeServer(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Host, port and secret path, for AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}/{self._secret}"

    def call(self, path: str) -> str | None:
        """Return the call in a path, such as ``invocation/next``; None without the secret."""
        prefix = f"/{self._secret}/{_RUNTIME}/"
        start, rest = path[: len(prefix)], path[len(prefix) :]
        return rest if secrets.compare_digest(start.encode(), prefix.encode()) else None

    def hand_over(self, invocation: Invocation) -> None:
        """Make an invocation the next one that the process receives."""
        self._current = invocation
        if self._init_failure is not None:
            invocation.end(self._init_failure, is_error=True)
        else:
            self._waiting.put(invocation)

    def next_invocation(self) -> Invocation | None:
        """Wait for the next invocation; None when the server stops."""
        self.is_initialized.set()
        invocation = self._waiting.get()
        if invocation is not None:
            invocation.received.set()
        return invocation

    def answered(self, request_id: str, payload: bytes, *, is_error: bool) -> bool:
        """Record the response to the current invocation; return False where it is to another."""
        if self._current is None or self._current.request_id != request_id:
            return False
        self._current.end(payload, is_error=is_error)
        return True

    def init_failed(self, payload: bytes) -> None:
        """Record that the handler could not be loaded."""
        self._init_failure = payload
        self.is_initialized.set()
        if self._current is not None:
            self._current.end(payload, is_error=True)

    def process_ended(self, status: int) -> None:
        """Fail the current invocation because its process is gone."""
        self.is_initialized.set()
        if self._current is not None and not self._current.ended.is_set():
            self._current.fail(
                "Runtime.ExitError",
                f"RequestId: {self._current.request_id} Error: Runtime exited with status {status}",
            )

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _RuntimeServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _RuntimeRequest)


class _RuntimeRequest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two every answer waits for a delayed acknowledgement, some 40 milliseconds.
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: _RuntimeServer

    def do_GET(self) -> None:
        """Answer ``invocation/next``."""
        if self._call() != "invocation/next":
            self._refuse()
            return
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        deadline_ms = int((time.time() + invocation.timeout_seconds) * 1000)
        self._answer(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": _trace_id(),
                "Content-Type": "application/json",
            },
        )

    def do_POST(self) -> None:
        """Answer ``invocation/<id>/response``, ``invocation/<id>/error`` and ``init/error``."""
        call = self._call()
        if call is None:
            self._refuse()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind, _, rest = call.partition("/")
        request_id, _, outcome = rest.partition("/")
        if call == "init/error":
            self.server.api.init_failed(body)
        elif (
            kind != "invocation"
            or outcome not in ("response", "error")
            or not self.server.api.answered(request_id, body, is_error=outcome == "error")
        ):
            self._answer(400, b'{"errorType":"InvalidRequestID"}', {})
            return
        self._answer(202, b'{"status":"OK"}', {})

    def _call(self) -> str | None:
        """Return the call of the function's process; None for a request of another program."""
        if foreign_header(self.headers.get("Host"), self.headers.get("Origin")):
            return None
        return self.server.api.call(self.path)

    def _refuse(self) -> None:
        self.close_connection = True
        self._answer(403, b'{"errorType":"Forbidden"}', {})

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing to standard error."""

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"

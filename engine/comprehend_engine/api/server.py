"""The HTTP server: loopback only, one thread per connection, persistent connections.

Decides how sockets are handled and what a request's body is. No web page reaches the engine through
a browser, neither from another site nor under a host name that resolves to this machine. Knows
nothing of operations. Read next: `comprehend_engine.api.protocol`.
"""

import contextlib
import logging
import socket
import socketserver
import threading
import uuid
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from comprehend_engine.api.fault_control import CONTROL_PATH, FaultControl
from comprehend_engine.api.loopback import foreign_header
from comprehend_engine.api.protocol import ACCESS_DENIED, Authentication, HttpResponse, Protocol
from comprehend_engine.errors import ServiceError

MAX_BODY_BYTES = 8 * 1024 * 1024
"""Largest request; the largest one an operation can need is a label list of 5 MB."""

_LOG = logging.getLogger(__name__)
_DRAIN_SECONDS = 5.0
_DRAIN_BYTES = 65536


class Server:
    """Serve a protocol on 127.0.0.1.

    Parameters
    ----------
    protocol : Protocol
        Answers the service's requests.
    port : int
        0 takes a free one.
    control : FaultControl, optional
        Answers under its own path; off by default.
    authentication : Authentication, optional
        Verifies each request's signature; without it every caller is answered.

    Raises
    ------
    OSError
        The port is in use; choose another one.
    """

    def __init__(
        self,
        protocol: Protocol,
        port: int,
        control: FaultControl | None = None,
        authentication: Authentication | None = None,
    ) -> None:
        self._http = _Connections(("127.0.0.1", port), _Handler)
        self._http.protocol = protocol
        self._http.control = control or FaultControl(None)
        self._http.authentication = authentication or _accept_all
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="http",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        """Start to serve; return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Answer the requests in progress, then close every connection."""
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()


def _accept_all(method: str, target: str, headers: Message, body: bytes) -> None:
    """Accept a request, signed or not."""


class _Connections(ThreadingHTTPServer):
    """A server that can end connections which clients keep open.

    Its threads end with the interpreter, so a program that forgets to stop it does not hang.
    """

    request_queue_size = 128
    protocol: Protocol
    control: FaultControl
    authentication: Authentication

    def __init__(self, *arguments: Any) -> None:
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(*arguments)

    def server_bind(self) -> None:
        # HTTPServer's own method also looks up the host's name, which nothing needs.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _LOG.debug("the connection from %s broke", client_address, exc_info=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._lock:
            threads = list(self._open.values())
            for connection in self._open:
                # The reading side only: a response on its way still arrives.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
        for thread in threads:
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    _is_unread = False
    timeout = 60
    """Seconds to wait for a client that sends nothing."""

    server: _Connections

    def do_POST(self) -> None:
        self._send(self._answered())

    # Each gets a JSON response; for a missing method the base class would send a web page.
    do_GET = do_DELETE = do_PUT = do_PATCH = do_OPTIONS = do_HEAD = do_POST

    def _answered(self) -> HttpResponse:
        try:
            body = self._body()
        except ServiceError as refusal:
            # The beginning of the next request is unknown.
            self._is_unread = self.close_connection = True
            return self.server.protocol.refuse(refusal)
        if foreign := foreign_header(self.headers.get("Host"), self.headers.get("Origin")):
            message = f"{foreign}; the engine only answers programs on this machine."
            return self.server.protocol.refuse(ServiceError(ACCESS_DENIED, message))
        if fault := self.server.authentication(self.command, self.path, self.headers, body):
            return self.server.protocol.refuse(ServiceError(*fault))
        if self.path.startswith(CONTROL_PATH):
            return self.server.control.answer(self.command, self.path, self.headers, body)
        return self.server.protocol.answer(self.headers, body)

    def _body(self) -> bytes:
        """Read as many bytes as the request announces."""
        if "Transfer-Encoding" in self.headers:
            message = "Transfer-Encoding is not supported: send a Content-Length."
            raise ServiceError("InvalidRequestException", message)
        lengths = self.headers.get_all("Content-Length") or ["" if self.command == "POST" else "0"]
        length = lengths[0]
        is_number = len(set(lengths)) == 1 and length.isascii() and length.isdecimal()
        if not is_number or int(length) > MAX_BODY_BYTES:
            message = f"Content-Length must be a number of at most {MAX_BODY_BYTES} bytes."
            raise ServiceError("InvalidRequestException", message)
        try:
            body = self.rfile.read(int(length))
        except TimeoutError as error:
            message = "The rest of the body did not arrive in time."
            raise ServiceError("InvalidRequestException", message) from error
        if len(body) < int(length):
            message = f"The body has {len(body)} bytes, but Content-Length is {length}."
            raise ServiceError("InvalidRequestException", message)
        return body

    def _send(self, answer: HttpResponse) -> None:
        if answer.is_dropped:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if answer.allows:
            self.send_header("Allow", answer.allows)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        if self._is_unread:
            self._drain()

    def _drain(self) -> None:
        """Read the rest, so that a client that still sends can read the response afterwards."""
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAIN_SECONDS)
            while self.rfile.read1(_DRAIN_BYTES):
                pass

    def log_message(self, format: str, *args: Any) -> None:
        _LOG.debug(format, *args)

"""An endpoint with just enough of Comprehend for a stack to create and delete a flywheel.

The local cloud is tested apart from our Comprehend engine: here only what is sent to the endpoint,
and by whom, matters.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FlywheelEndpoint:
    """Answers the three calls on a flywheel, and records all that were made."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.flywheels: dict[str, dict[str, Any]] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the status and the document that answer one call."""
        self.calls.append((operation, request))
        if operation == "CreateFlywheel":
            arn = f"arn:aws:comprehend:us-east-1:123456789012:flywheel/{request['FlywheelName']}"
            self.flywheels[arn] = {"FlywheelArn": arn, "Status": "CREATING", "CreationTime": 1.5}
            return 200, {"FlywheelArn": arn}
        flywheel = self.flywheels.get(request.get("FlywheelArn", ""))
        if flywheel is None:
            return 429, {"__type": "TooManyRequestsException", "Message": "slow down"}
        document = {"FlywheelProperties": dict(flywheel)}
        flywheel["Status"] = "ACTIVE"
        return 200, document

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: FlywheelEndpoint) -> None:
        self.endpoint = endpoint
        super().__init__(("127.0.0.1", 0), _Request)


class _Request(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].split(".")[-1]
        status, document = self.server.endpoint.answer(operation, request)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

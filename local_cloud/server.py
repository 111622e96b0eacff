"""moto's HTTP application, served in this process with a clean start and a clean end.

The gaps: moto's own threaded server leaves its listening socket open when it stops, takes half a
second to do so, writes a line for each request, and waits for a silent client for ever; its
backends keep their state for the whole process. Decides the server's life. Must not know the
adapters. Read next: cloud.py.
"""

import threading
from collections.abc import Callable
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local_cloud.adapters_check import Patches

_REQUEST_LOG = "moto.moto_server.werkzeug_app:MotoRequestHandler.log_request"
ADAPTED = (
    _REQUEST_LOG,
    "moto.moto_server.werkzeug_app:DomainDispatcherApplication",
    "moto.moto_server.werkzeug_app:create_backend_app",
    "moto.core.base_backend:BackendDict.reset",
    "moto.core.model_instances:reset_model_data",
)
_HOST = "127.0.0.1"
_STOP_POLL_SECONDS = 0.05


class RequestHandler(MotoRequestHandler):  # type: ignore[misc] # moto has no types
    """Receives requests, as long as the client goes on sending."""

    timeout = 30


class CloudServer:
    """Serves moto's backends over HTTP on the loopback interface.

    Parameters
    ----------
    port : int
        Where to listen; 0 takes a free port.
    patches : Patches
        How moto is changed.
    guard : callable
        Wraps the WSGI application, to look at each request first.
    """

    def __init__(self, port: int, patches: Patches, guard: Callable[[Any], Any]) -> None:
        patches.replace(_REQUEST_LOG, _say_nothing)
        forget_everything()
        self._server = make_server(
            _HOST,
            port,
            guard(DomainDispatcherApplication(create_backend_app)),
            threaded=True,
            request_handler=RequestHandler,
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_STOP_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{_HOST}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop serving, close the socket and forget all state."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        forget_everything()


def forget_everything() -> None:
    """Drop the state of every backend of moto."""
    BackendDict.reset()
    reset_model_data()


def _say_nothing(request: Any, *args: object, **kwargs: object) -> None:
    """Write no line on standard error for each request."""

"""moto's HTTP application, served in this process with a clean start and a clean end.

The gaps: moto's own threaded server leaves its listening socket open when it stops, and takes half
a second to stop. It writes a line per request, and waits for a silent client without a limit. Its
backends keep their state for the whole process. Decides how the server starts and stops. Must not
know the adapters. Read next: cloud.py.
"""

import logging
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

from local_cloud.patches import Patches

_HOST = "127.0.0.1"
_STOP_POLL_SECONDS = 0.05
_NO_LOG = logging.NullHandler()


class RequestHandler(MotoRequestHandler):  # type: ignore[misc] # moto has no types
    """Receives requests; a client that sends nothing for 30 seconds is disconnected."""

    timeout = 30

    def log_request(self, *args: object, **kwargs: object) -> None:
        """Write nothing to standard error."""


class CloudServer:
    """Serves moto's backends over HTTP on the loopback interface.

    Parameters
    ----------
    port : int
        The port to listen on; 0 chooses a free one.
    patches : Patches
        Replaces attributes of moto and of loggers.
    guard : callable
        Wraps the WSGI application, to check each request first.
    """

    def __init__(self, port: int, patches: Patches, guard: Callable[[Any], Any]) -> None:
        # moto logs an error for what is none, such as a Choice that tests whether a field is there;
        # the web server logs a stack trace for each request that a stop interrupts.
        for name in ("moto", "werkzeug"):
            logger = logging.getLogger(name)
            patches.replace_attribute(logger, "handlers", [*logger.handlers, _NO_LOG])
            patches.replace_attribute(logger, "propagate", False)
        reset_backends()
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
        """Its address."""
        return f"http://{_HOST}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop serving, close the socket and drop all state."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        reset_backends()


def reset_backends() -> None:
    """Drop the state of every backend of moto."""
    BackendDict.reset()
    reset_model_data()

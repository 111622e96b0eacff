"""Keep moto's and its web server's own logs off a person's terminal.

moto logs an error for what is none (a Choice that asks whether a field is there), and the web
server logs a stack trace for each request that a stop cuts off. What matters of them reaches the
caller as an answer. Must not touch the logs of this project. Read next: cloud.py.
"""

import logging
from collections.abc import Callable

_LIBRARIES = ("moto", "werkzeug")


def quieten() -> Callable[[], None]:
    """Let the libraries log only to handlers of their own, and return what undoes it."""
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    before = [(logger, logger.propagate) for logger in loggers]
    nowhere = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(nowhere)
        logger.propagate = False

    def undo() -> None:
        for logger, propagates in before:
            logger.removeHandler(nowhere)
            logger.propagate = propagates

    return undo

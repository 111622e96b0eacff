"""What becomes of errors that nobody foresaw.

Code that reads documents must not quote them: the message of a KeyError may be the text of a
document, and would go on into logs, traces and notices. In a run of Reconcile one error must not
keep the rest from being done.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_lambda_powertools import Logger

from flywheel.errors import FlywheelLoopError, UnforeseenError

_LINES_NAMED = 4


@contextmanager
def quoting_no_document() -> Iterator[None]:
    """Let an error that nobody foresaw say its class and its place alone.

    Raises
    ------
    UnforeseenError
        In place of it. Errors of this project and of AWS's library pass as they are.
    """
    try:
        yield
    except FlywheelLoopError:
        raise
    except Exception as error:
        # By name, since this layer does not import the SDK; its messages quote no document.
        if type(error).__module__.partition(".")[0] == "botocore":
            raise
        frames = traceback.extract_tb(error.__traceback__)[-_LINES_NAMED:]
        where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
        raise UnforeseenError(type(error).__name__, where) from None


logger = Logger(child=True)


class Failures:
    """The failures of one run."""

    def __init__(self) -> None:
        self._raised: list[Exception] = []

    @contextmanager
    def held_back(self, looked_at: str, **place: str) -> Iterator[None]:
        """Log what fails inside, and hold it back until the end.

        Parameters
        ----------
        looked_at : str
            What cannot be looked at, for the log.
        **place : str
            Which one it is.
        """
        try:
            yield
        except Exception as error:  # whatever it is, it is raised at the end
            logger.exception("could not be looked at", extra={"looked_at": looked_at, **place})
            self._raised.append(error)

    def raise_first(self) -> None:
        """Raise the first failure, if there is one; the log has all of them."""
        if self._raised:
            raise self._raised[0]

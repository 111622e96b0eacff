"""What becomes of errors at the edge of a function.

Code that reads documents must not quote them: the message of a KeyError may be the text of a
document, and would go on into logs, traces and notices. A refusal is an answer to whoever invoked
the function. In a run of Reconcile one error must not keep the rest from being done.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

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


def refusal(error: Exception) -> dict[str, str]:
    """Return the document that says why a command was not carried out, and by which error."""
    return {"refused": str(error), "error": type(error).__name__}


Handler = Callable[[dict[str, Any], LambdaContext], Any]


def answer_refusals(*errors: type[FlywheelLoopError]) -> Callable[[Handler], Handler]:
    """Make a handler answer these errors with ``refused`` and ``error`` instead of failing."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(event: dict[str, Any], context: LambdaContext) -> Any:
            try:
                return handler(event, context)
            except errors as error:
                logger.info("command refused", extra=refusal(error))
                return refusal(error)

        return answer

    return decorate


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

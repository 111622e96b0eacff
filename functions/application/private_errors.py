"""Errors of code that reads documents, without what they may quote.

A message such as that of a KeyError is a value, and the value may be the text of a document. It
would go on into logs, traces, the execution's cause and from there into a notice.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

"""What fails in a run of reconcile, so that one bad thing does not keep the rest from being done.

Decides that a failure is logged where it happens and raised at the end, when all else was looked
at: the run then counts as failed, which an alarm watches. Must not know what is looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

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

"""Kills a process between two of its writes, by botocore's event hooks on the functions' clients.

A write is every call that is not known to read, so a new kind of call is one until it is shown to
be harmless. Read next: `crash_story` (whose processes die), `test_crashes` (the sweep).
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, get_args, get_overloads

from adapters.clients import client
from tests.functions.cloud import Crash, hooked

_READS = ("BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan")
_FUNCTIONS = str(Path(__file__).resolve().parents[2] / "functions")
_SERVICES = [get_args(overload.__annotations__["service"])[0] for overload in get_overloads(client)]
"""Every service of which the functions can have a client; mypy refuses any other."""

_REFUSED = 300


@dataclass(slots=True)
class Killer:
    """Counts the writes of processes, and kills one process after so many.

    Parameters
    ----------
    after_writes : int or None
        0 kills just before the first write is sent, n just after the nth was carried out, before
        its reply arrives. Nobody dies where it is None.

    Attributes
    ----------
    writes : list of str
        Each write that was carried out: who made it, service and operation.
    deaths : int
    """

    after_writes: int | None = None
    writes: list[str] = field(default_factory=list)
    deaths: int = 0
    _is_watching: bool = False
    _is_asleep: bool = False

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Watch all clients of the functions."""
        with ExitStack() as stack:
            for service in _SERVICES:
                stack.enter_context(hooked(service, "before-call.{}", self._before))
                stack.enter_context(hooked(service, "after-call.{}", self._after))
            yield

    @contextmanager
    def process(self) -> Iterator[None]:
        """Watch a process, which may die."""
        self._is_watching = not self._is_asleep
        try:
            yield
        finally:
            self._is_watching = False

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Watch nobody while a story comes to where it matters."""
        before, self._is_asleep = self._is_asleep, True
        try:
            yield
        finally:
            self._is_asleep = before

    def _before(self, model: Any, **_: Any) -> None:
        if self._counts(model) and self.after_writes == 0:
            self._kill()

    def _after(self, model: Any, http_response: Any, **_: Any) -> None:
        # What the service refused has changed nothing.
        if self._counts(model) and http_response.status_code < _REFUSED:
            self.writes.append(f"{_caller()} {model.service_model.service_name}:{model.name}")
            if len(self.writes) == self.after_writes:
                self._kill()

    def _counts(self, model: Any) -> bool:
        return self._is_watching and not self.deaths and not model.name.startswith(_READS)

    def _kill(self) -> None:
        self.deaths += 1
        raise Crash


def _caller() -> str:
    """Return which function of the product writes: the outermost, and the innermost."""
    frame: FrameType | None = sys._getframe()
    names = []
    while frame is not None:
        path, code = frame.f_code.co_filename, frame.f_code
        if path.startswith(_FUNCTIONS):
            names.append(f"{Path(path).relative_to(_FUNCTIONS)}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return " < ".join(names[:1] + names[1:][-2:]) if names else "?"

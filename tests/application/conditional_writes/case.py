"""How a case is written: what a writer has read, what comes between, and the write that is refused.

A case is a function of a `Story` that returns the write under test::

    @case("Batches.open: FLYWHEEL.pause", "a person pauses the flywheel")
    def _(story: Story) -> Act:
        row = story.row
        story.paused()
        return lambda: story.ledger.batches.open(row, 1, NOW)

The decorator names the one expectation that the neighbour violates (`watched_rows`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.application.conditional_writes.story import Story

Act = Callable[[], object]
Ending = Literal["refused", "silent", "again"]
Scene = Callable[[Story], Act]


@dataclass(frozen=True, slots=True)
class Case:
    """One write whose one expectation does not hold any more.

    Parameters
    ----------
    expectation : str
    neighbour : str
        Who came between, in words.
    scene : callable
        Brings the ledger to where the write is refused, and returns the write.
    ends : {"refused", "silent", "again"}
        Whether the method raises; or answers False, None or the row as it is; or reads again, and
        what it writes then is the scene's to look at.
    beside : str or None
        Another expectation of the same write that no neighbour can violate without this one.
    """

    expectation: str
    neighbour: str
    scene: Scene
    ends: Ending = "refused"
    beside: str | None = None

    @property
    def violated(self) -> set[str]:
        """The expectations that do not hold."""
        return {self.expectation} | ({self.beside} if self.beside else set())

    @property
    def id(self) -> str:
        """Its name among the tests."""
        return f"{self.expectation}, {self.neighbour}"


CASES: list[Case] = []


def case(
    expectation: str, neighbour: str, *, ends: Ending = "refused", beside: str | None = None
) -> Callable[[Scene], Scene]:
    """Make a function a case of the table."""

    def add(scene: Scene) -> Scene:
        CASES.append(Case(expectation, neighbour, scene, ends, beside))
        return scene

    return add

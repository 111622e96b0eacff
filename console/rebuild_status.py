"""A flywheel's new generation in `flywheel status`: its step, and what it waits for.

Decides facts and words. Read next: `console.status_view`.
"""

from dataclasses import dataclass
from typing import Any

from rich.text import Text

from adapters.ledger.flywheel_rows import FlywheelRow, Rebuild
from adapters.rebuild_progress import was_promoted
from console.target import Target
from flywheel.notices import shown


@dataclass(frozen=True, slots=True)
class RebuildStatus:
    """A generation of which no model was promoted so far, or whose endpoints still move.

    Parameters
    ----------
    asked : Rebuild
    generation : int
        Its number.
    waits_for : str
    is_promoted : bool
        Whether a model of it is live already.
    """

    asked: Rebuild
    generation: int
    waits_for: str
    is_promoted: bool = False

    @property
    def is_blocking(self) -> bool:
        """Whether no batch opens until it goes on."""
        return self.asked.block_reason is not None


def rebuild_status(target: Target, row: FlywheelRow) -> RebuildStatus | None:
    """Return the generation that is not over; None where there is none."""
    asked = row.rebuild
    if asked is None:
        return None
    if asked.step == "SWITCHED":
        is_promoted = was_promoted(target.ledger(), row, asked)
        return RebuildStatus(
            asked, row.generation, _first_model(row, is_promoted=is_promoted), is_promoted
        )
    words = {
        "REQUESTED": "the next generation is about to be made",
        "CREATING": f"Comprehend makes {asked.arn}",
        "RETURNING": f"it was given up; uploads go back to {asked.before_arn}",
    }
    number = row.next_generation
    if asked.step == "RETURNING":
        # Its own, or that of one to which batches did not go yet.
        number = row.generation if row.arn == asked.arn else row.given_up_generation
    return RebuildStatus(asked, number, words[asked.step])


def rebuild_document(found: RebuildStatus) -> dict[str, Any]:
    """Return a rebuild as JSON values."""
    return {
        "generation": found.generation,
        "step": found.asked.step,
        "waits_for": found.waits_for,
        "is_promoted": found.is_promoted,
        "reason": found.asked.reason,
        "before": found.asked.before_arn,
        "arn": found.asked.arn,
    }


def rebuild_words(environment: str, flywheel: str, found: RebuildStatus) -> Text:
    """Say where it is, what it waits for, and what people can do."""
    text = Text.assemble(
        (f"generation {found.generation} {found.asked.step}", "bold yellow"),
        f"  {shown(found.asked.reason, 200)}\nwaits: {found.waits_for}",
    )
    if found.is_promoted or found.asked.step == "RETURNING":
        return text
    place = f"{flywheel} --env {environment}"
    if not found.is_blocking:
        text.append(f"\nagain:   flywheel rebuild {place} --reason TEXT")
    text.append(f"\ngive up: flywheel rebuild {place} --abandon --reason TEXT")
    return text


def _first_model(row: FlywheelRow, *, is_promoted: bool) -> str:
    if is_promoted:
        return "a model of it is live; endpoints of the earlier flywheel are about to move"
    return f"a model of {row.arn} to be promoted; until then endpoints follow the earlier flywheel"

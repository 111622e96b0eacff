"""A flywheel's new generation in `flywheel status`: its step, and what it waits for.

Decides facts and words. Read next: `console.views.status`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application.ledger.flywheel_rows import FlywheelRow, RebuildState
from application.ledger.ledger import Ledger
from application.rebuilds.provenance import was_promoted
from console.environment.target import Target
from flywheel.batches.batches import of_kind
from flywheel.batches.uploads import DatasetKind


@dataclass(frozen=True, slots=True)
class RebuildStatus:
    """A generation without a promoted model, or whose endpoints still move.

    Parameters
    ----------
    asked : RebuildState
    generation : int
        Its number.
    waits_for : str
    is_promoted : bool
        Whether a model of it is live already.
    todo : sequence of str
        What ends the wait, where people must do something.
    """

    asked: RebuildState
    generation: int
    waits_for: str
    is_promoted: bool = False
    todo: Sequence[str] = ()

    @property
    def is_blocking(self) -> bool:
        """Whether no batch opens until it goes on."""
        return self.asked.block_reason is not None


def rebuild_status(target: Target, row: FlywheelRow) -> RebuildStatus | None:
    """Return the rebuild that has not ended; None where there is none."""
    asked = row.rebuild
    if asked is None:
        return None
    if asked.step == "SWITCHED":
        ledger = target.ledger()
        is_promoted = was_promoted(ledger, row, asked)
        waits_for = _first_model(row, asked, is_promoted=is_promoted)
        todo = () if is_promoted else without_rows(ledger, target.environment, row)
        return RebuildStatus(asked, row.generation, waits_for, is_promoted, todo)
    words = {
        "REQUESTED": "the next generation is about to be made",
        "CREATING": f"Comprehend makes {asked.arn}",
        "RETURNING": f"it was abandoned; uploads go back to {asked.before_arn}",
    }
    number = row.next_generation
    if asked.step == "RETURNING":
        # Its own, or that of one to which batches did not go yet.
        number = row.generation if row.arn == asked.arn else row.given_up_generation
    return RebuildStatus(asked, number, words[asked.step])


def rebuild_document(rebuild: RebuildStatus) -> dict[str, Any]:
    """Return a rebuild as JSON values."""
    return {
        "generation": rebuild.generation,
        "step": rebuild.asked.step,
        "waits_for": rebuild.waits_for,
        "is_promoted": rebuild.is_promoted,
        "todo": list(rebuild.todo),
        "reason": rebuild.asked.reason,
        "before": rebuild.asked.before_arn,
        "arn": rebuild.asked.arn,
    }


def without_rows(ledger: Ledger, environment: str, row: FlywheelRow) -> Sequence[str]:
    """Return what to do where a new generation has no rows to train on."""
    asked = row.rebuild
    has_begun = asked is None or row.last_batch > asked.last_batch
    if has_begun or of_kind(ledger.uploads.staged(row.name), DatasetKind.TRAIN):
        return ()
    command = f"flywheel upload FILE {row.name} --kind train --env {environment}"
    return (f"No rows are left to train on. Upload some: {command}",)


def _first_model(row: FlywheelRow, asked: RebuildState, *, is_promoted: bool) -> str:
    names = ", ".join(arn.rpartition("/")[2] for arn in asked.followed_arns)
    if is_promoted:
        return f"endpoints that follow {names} are about to move"
    return f"a model of {row.arn} to be promoted; until then endpoints follow {names}"

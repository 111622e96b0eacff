"""Notices of a PROMOTE that was not carried out: headline, reason, what to do.

Decides the words only. Read next: `flywheel.evaluation.champions` (the cases),
`flywheel.notices.batches`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flywheel.evaluation.champions import NotCarriedOutReason

_BY_HAND = (
    "If the challenger should be live: `flywheel promote {batch} {flywheel} --env {environment} "
    "--reason TEXT`. Otherwise, there is nothing to do."
)


@dataclass(frozen=True, slots=True)
class NotCarriedOutWords:
    """The words of one case; ``{batch}``, ``{flywheel}`` and ``{environment}`` are filled in."""

    headline: str
    reason: str
    todo: str = _BY_HAND


NOT_CARRIED_OUT: Mapping[NotCarriedOutReason, NotCarriedOutWords] = {
    NotCarriedOutReason.CHAMPION_CHANGED: NotCarriedOutWords(
        "HELD, CHAMPION_CHANGED",
        "The active model was changed by somebody else while this verdict was made; nothing was "
        "written.",
    ),
    NotCarriedOutReason.SHADOW: NotCarriedOutWords(
        "SHADOW, would be PROMOTED",
        'The policy\'s mode is "shadow": the verdict is written down, and nothing is done.',
    ),
    NotCarriedOutReason.PROMOTION_PAUSED: NotCarriedOutWords(
        "HELD, promotion is paused",
        "No verdict is carried out since somebody rolled back",
        _BY_HAND + " `flywheel resume {flywheel} --env {environment} --reason TEXT` lets verdicts "
        "promote again.",
    ),
    NotCarriedOutReason.BARRED: NotCarriedOutWords(
        "HELD, the challenger is barred",
        "Somebody rolled back from this model before, so no verdict makes it active again.",
    ),
    NotCarriedOutReason.UNANSWERED: NotCarriedOutWords(
        "HELD, nobody answered",
        "The policy asks a person, and nobody answered in time; the champion stays.",
    ),
    NotCarriedOutReason.REJECTED_BY_PERSON: NotCarriedOutWords(
        "REJECTED by a person", "The policy asks a person, who said no", "Nothing to do."
    ),
}


def not_carried_out_reason(kept: NotCarriedOutReason, detail: str | None = None) -> str:
    """Return why a verdict was not carried out, as one sentence.

    Parameters
    ----------
    detail : str, optional
        Who did what, and why; it completes the case's own words.
    """
    words = NOT_CARRIED_OUT[kept].reason
    return words if detail is None else f"{words}: {detail}"

"""Who was live when, which model a rollback goes back to, and how a PROMOTE is carried out.

Pure; knows no ledger and no service. Read next:
`flywheel.notices.champions` (the words) and `application.ledger.champions` (where it is stored).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flywheel.settings.policy import Policy

OUTSIDE = "outside"
"""The actor of a change in the console, whose author is not known here."""

TRAINED_STATUSES = frozenset({"TRAINED", "TRAINED_WITH_WARNING"})
"""Statuses of a model that can be live (*Source*: botocore, ModelStatus)."""


class PromotionMode(StrEnum):
    """How a verdict that says PROMOTE is carried out; stored with it."""

    ACT = "ACT"
    ASK = "ASK"
    SHADOW = "SHADOW"


class NotCarriedOutReason(StrEnum):
    """Why a verdict that says PROMOTE was not carried out."""

    CHAMPION_CHANGED = "CHAMPION_CHANGED"
    SHADOW = "SHADOW"
    PROMOTION_PAUSED = "PROMOTION_PAUSED"
    BARRED = "BARRED"
    UNANSWERED = "UNANSWERED"
    REJECTED_BY_PERSON = "REJECTED_BY_PERSON"


class ChampionSource(StrEnum):
    """What made a model the champion."""

    VERDICT = "verdict"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Champion:
    """A model that was made active, and who did it.

    Parameters
    ----------
    number : int
        From 1, per flywheel.
    model : str or None
        None where the flywheel lost its active model.
    how : ChampionSource
    by : str
    at : str
    batch : int or None
        Whose verdict promoted it.
    reason : str or None
        What the person gave.
    request : str or None
        The person's own request, by which a repeat of it is known.
    """

    number: int
    model: str | None
    how: ChampionSource
    by: str
    at: str
    batch: int | None = None
    reason: str | None = None
    request: str | None = None


def promotion_mode(policy: Policy, promote_verdicts: int) -> PromotionMode:
    """Return how a PROMOTE is carried out.

    Parameters
    ----------
    policy : Policy
    promote_verdicts : int
        The flywheel's PROMOTE verdicts before this one.
    """
    if policy.mode == "shadow":
        return PromotionMode.SHADOW
    is_asked = policy.mode == "approve" or promote_verdicts < policy.approve_first
    return PromotionMode.ASK if is_asked else PromotionMode.ACT


def rollback_target(
    history: Sequence[Champion], active: str | None, barred: Collection[str]
) -> str | None:
    """Return the model that was live last before the present one; None where there is none.

    It never returns a model that was rolled back from.

    Parameters
    ----------
    history : sequence of Champion
        Oldest first.
    active : str or None
        The present champion.
    barred : collection of str
    """
    earlier = (champion.model for champion in reversed(history))
    return next((model for model in earlier if model and model not in {active, *barred}), None)

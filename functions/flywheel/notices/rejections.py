"""What a REJECTED notice says of the likely cause, and what people may do about it.

Taking data back is offered only where the new model is worse: a tie shows nothing wrong with the
rows, and a rebuild's own batch holds all of them. Decides the words only. Read next:
`flywheel.notices.verdicts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flywheel.evaluation.effective_rules import Outcome
from flywheel.evaluation.verdict import Verdict
from flywheel.evaluation.verdict_view import VerdictView
from flywheel.notices.notice import shown
from flywheel.notices.what_changed import label_shift

_LEAST_LOSS = 0.005
"""Smaller losses of an average are no news: the policy's own default asks for as large a gain."""

_NAMED = 3
_KEPT = (
    "The rows of {which} stay in the flywheel, since Comprehend has no call that takes a dataset "
    "back"
)
_NO_GAIN = (
    "Nothing to do: go on uploading. " + _KEPT + ", and nothing shows that they are wrong. Rows of "
    "labels with a low F1 help most."
)
_WORSE = (
    "Look at the rows of {which}. If they are right, go on uploading. "
    + _KEPT
    + ": every later iteration trains on them too. If they are wrong, for example mislabeled, take "
    "them back: "
    "`flywheel withdraw {flywheel} --batch {batch} --env {environment} --reason TEXT`, then "
    "`flywheel rebuild {flywheel} --env {environment} --reason TEXT` makes the next generation "
    "without them."
)
_FLOOR = (
    "Upload more labeled rows, above all of labels that have few. The next batch trains on the new "
    "rows and on those of this batch."
)
_NOTHING = "You need not do anything: the live model stays live. "
_REBUILT = (
    _NOTHING + "Go on uploading, and the next batch trains in "
    "the new generation; or `flywheel rebuild {flywheel} --env {environment} --abandon --reason "
    "TEXT` goes back to the earlier flywheel{taint}."
)
_STILL_LIVE = (
    " The live model was trained on rows that were withdrawn ({withdrawn}), and stays live. To "
    "have this batch's model live instead: `flywheel promote {batch} {flywheel} --env "
    "{environment} --reason TEXT`."
)
_TAINTED = ", which is TAINTED: its datasets hold rows that were withdrawn"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a challenger was probably rejected.

    Parameters
    ----------
    likely : str
        One sentence.
    todo : str
        With ``{which}``, ``{batch}``, ``{flywheel}``, ``{environment}`` and ``{withdrawn}`` to be
        filled in.
    """

    likely: str
    todo: str


def rejection(
    verdict: Verdict,
    new: Mapping[str, int],
    before: Mapping[str, int],
    *,
    is_rebuilt: bool,
    is_return_tainted: bool = False,
    is_live_mistrained: bool = False,
) -> Rejection:
    """Return the likely cause of a rejection.

    Parameters
    ----------
    verdict : Verdict
    new, before : mapping of str to int
        Documents of each label in the batch, and in the generation's batches before it.
    is_rebuilt : bool
        Whether the batch is a rebuild's own: all accepted rows, trained anew.
    is_return_tainted : bool
        Whether giving the rebuild up leads back to a flywheel that holds withdrawn rows.
    is_live_mistrained : bool
        Whether the live model was trained on rows that were withdrawn.
    """
    failed = [rule for rule in verdict.outcomes if rule.outcome is Outcome.FAIL and rule.metric]
    losses = [
        rule.champion - rule.challenger
        for rule in failed
        if rule.champion is not None and rule.challenger is not None
    ]
    if not losses:
        return Rejection("Likely: too few rows, or labels that are hard to tell apart.", _FLOOR)
    is_worse = max(losses) >= _LEAST_LOSS
    if is_rebuilt:
        change = "worse" if is_worse else "no better"
        words = f"Likely: a rebuild trains the rows that there are anew, and is {change} this time"
        taint = _TAINTED if is_return_tainted else ""
        todo = _REBUILT.replace("{taint}", taint)
        if is_live_mistrained:
            todo = todo.removeprefix(_NOTHING)
            todo += _STILL_LIVE
        return Rejection(f"{words}{_named(verdict)}.", todo)
    if not is_worse:
        return Rejection("Likely: no gain; the new rows teach it little that is new.", _NO_GAIN)
    words = f"Likely: the new rows make it worse{_named(verdict)}"
    if label_shift(new, before):
        words += "; they are much unlike the rest, as the shift of labels below says"
    return Rejection(f"{words}.", _WORSE)


def _named(verdict: Verdict) -> str:
    """Return the labels that got worse, where values of labels or failed rules name them."""
    labels = [each.label for each in VerdictView(verdict).worse[:_NAMED]] or [
        rule.label
        for rule in verdict.outcomes
        if rule.outcome is Outcome.FAIL and rule.label is not None
    ]
    if not labels:
        return ""
    return f", most of all on {', '.join(shown(repr(label), 60) for label in labels)}"

"""What changed between two models and in the data, as plain text: never a document's text.

Decides the columns, and how many labels are named. Read next: `flywheel.evaluation.verdict_view`
(what is shown), `flywheel.notices.batches` (where it goes).
"""

import math
from collections.abc import Mapping, Sequence

from flywheel.evaluation.paired_evidence import LabelChange
from flywheel.evaluation.verdict_view import VerdictView, change, number
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.policy import METRICS

_NAMED = 3
_METRIC_WORDS: dict[str, str] = dict(
    zip(METRICS, ("F1", "Precision", "Recall", "Accuracy"), strict=True)
)
_LEAST_SHIFT = 0.1
"""Smaller distances between label shares are what any sample shows."""


def label_shift(new: Mapping[str, int], before: Mapping[str, int]) -> list[str]:
    """Return how the labels of new data differ from those known before; empty where hardly.

    The distance is the part of the new documents whose label would have to be another.

    Parameters
    ----------
    new, before : mapping of str to int
        Documents of each label.

    Examples
    --------
    >>> label_shift({"A": 90, "B": 10}, {"A": 50, "B": 50})
    ["The labels of the new data shift by 40 % of it: 'A' 50 % -> 90 %, 'B' 50 % -> 10 %."]
    >>> label_shift({"A": 52, "B": 48}, {"A": 50, "B": 50})
    []
    """
    new_total, total = sum(new.values()), sum(before.values())
    if not new_total or not total:
        return []
    shares = {
        label: (before.get(label, 0) / total, new.get(label, 0) / new_total)
        for label in {*new, *before}
    }
    distance = math.fsum(abs(new - old) for old, new in shares.values()) / 2
    if distance < _LEAST_SHIFT:
        return []
    moved = sorted(shares, key=lambda label: (-abs(shares[label][1] - shares[label][0]), label))
    named = ", ".join(
        f"{shown(repr(label), 60)} {shares[label][0]:.0%} -> {shares[label][1]:.0%}".replace(
            "%", " %"
        )
        for label in moved[:_NAMED]
    )
    return [f"The labels of the new data shift by {100 * distance:.0f} % of it: {named}."]


def metric_table(view: VerdictView) -> list[str]:
    """Return the averages of both models, and the labels that changed most, as plain text."""
    lines = [f"{'':<10} {'champion':>10} {'challenger':>10} {'change':>8}"]
    for each in view.averages:
        old, new, gain = number(each.champion), number(each.challenger), change(each.gain)
        lines.append(f"{_METRIC_WORDS[each.metric]:<10} {old:>10} {new:>10} {gain:>8}")
    changed = changed_labels(view)
    return [*lines, "", *changed] if changed else lines


def changed_labels(view: VerdictView) -> list[str]:
    """Return the labels that got worse and those that got better, as lines of plain text."""
    lines: list[str] = []
    for kind, labels in (("Worse", view.worse), ("Better", view.better)):
        if labels:
            title = f"{kind} on (F1 per label)"
            lines += [*([""] if lines else []), *label_lines(labels[:_NAMED], title)]
        if more := len(labels[_NAMED:]):
            lines.append(f"  and {number_of(more, 'more label')}")
    return lines


def label_lines(changes: Sequence[LabelChange], title: str = "label") -> list[str]:
    """Return F1 of labels as lines of a plain-text table, in the order in which they come."""
    lines = [f"{title:<30} {'documents':>9} {'champion':>9} {'challenger':>10} {'change':>7}"]
    for each in changes:
        old, new, gain = number(each.champion), number(each.challenger), change(each.gain)
        # Indented, so that no label looks like a part of the notice.
        label = f"  {shown(each.label, 28):<28}"
        lines.append(f"{label} {each.documents:>9,} {old:>9} {new:>10} {gain:>7}")
    return lines

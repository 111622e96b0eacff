"""What changed between two models and in the data, in sentences: never a document's text.

Decides how many labels are named. Read next: `flywheel.evaluation.evidence` (where the counts come
from), `flywheel.notices.batches` (where the sentences go).
"""

import math
from collections.abc import Mapping, Sequence

from flywheel.evaluation.paired_evidence import LabelChange, PairedEvidence
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_NAMED = 3
_LEAST_CHANGE = 0.01
"""Smaller changes of a label's F1 are not worth a word."""

_LEAST_SHIFT = 0.1
"""Smaller distances between label shares are what any sample shows."""


def model_changes(paired: PairedEvidence | None) -> list[str]:
    """Return what the challenger does otherwise, by both models' answers to the test set."""
    if paired is None or not any(each.champion is not None for each in paired.labels):
        return []
    words = [
        f"Of {number_of(paired.documents, 'test document')} the challenger fixes {paired.fixed:,} "
        f"and breaks {paired.broken:,}."
    ]
    changes = [each for each in paired.labels if abs(_gain(each)) >= _LEAST_CHANGE]
    lost = [each for each in changes if _gain(each) < 0][:_NAMED]
    won = [each for each in reversed(changes) if _gain(each) > 0][:_NAMED]
    for name, found in (("losses", lost), ("gains", won)):
        if found:
            words.append(f"Largest {name} in F1: {', '.join(map(_label_change, found))}.")
    return words


def worse_labels(paired: PairedEvidence | None) -> list[str]:
    """Return the labels whose F1 fell most, by both models' answers; empty where none is known."""
    if paired is None:
        return []
    known = [each for each in paired.labels if each.champion is not None]
    return [each.label for each in known if _gain(each) <= -_LEAST_CHANGE][:_NAMED]


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


def label_lines(changes: Sequence[LabelChange]) -> list[str]:
    """Return F1 of every label as lines of a plain-text table, largest loss first."""
    lines = [f"{'label':<30} {'documents':>9} {'champion':>9} {'challenger':>10} {'change':>7}"]
    for each in changes:
        old = "-" if each.champion is None else f"{each.champion:.3f}"
        change = "-" if each.champion is None else f"{_gain(each):+z.3f}"
        lines.append(
            f"{shown(each.label, 30):<30} {each.documents:>9,} {old:>9} "
            f"{each.challenger:>10.3f} {change:>7}"
        )
    return lines


def _gain(change: LabelChange) -> float:
    return change.challenger - (change.champion or 0.0)


def _label_change(change: LabelChange) -> str:
    label = shown(repr(change.label), 60)
    return (
        f"{label} {change.champion or 0.0:.3f} -> {change.challenger:.3f} "
        f"({change.documents:,} in the test set)"
    )

"""One metric of two models: both values, how far chance carries the gain, documents it needs.

Two levels. From an iteration's averages the pairing of the answers is not known, so bounds assume
the least favourable one that the averages allow; from both models' answers to the same documents it
is. Knows no rules. Read next: `flywheel.label_comparisons`, `flywheel.evidence`, `flywheel.policy`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flywheel import intervals
from flywheel.resampling import DRAWS, RESAMPLES, Chance, Measured, chances
from flywheel.scored_documents import (
    ACCURACY,
    AVERAGES_OF_LABELS,
    Kind,
    ScoredDocument,
    Tally,
    tallies,
)

POWER = 0.8
"""A test set is large enough where a gain of the observed size shows in so many cases."""


LEAST_WORTH = 30
"""Documents that an average must be worth, or its bounds are no bounds.

The rule of thumb for where a normal curve passes for a binomial one. With three documents of a rare
label, F1 jumps by a third of its weight for each of them.
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of one metric of both models.

    Parameters
    ----------
    metric : str
    label : str or None
    champion, challenger : float or None
        Values in [0, 1]; None where there is none.
    documents : int or None
        Test documents that it is measured on; a label's own; None where not known.
    low, high : float or None
        Bounds of ``challenger - champion``, each wrong in at most `error` of all cases.
    p_value : float or None
        One-sided, of a gain; None where there is no paired evidence.
    error : float
    method : str
    needed : int or None
        Test documents with which a gain of this size would show in `POWER` of all cases.
    """

    metric: str
    label: str | None
    champion: float | None
    challenger: float | None
    documents: int | None
    low: float | None
    high: float | None
    p_value: float | None
    error: float
    method: str
    needed: int | None

    @property
    def gain(self) -> float | None:
        """What the challenger has more."""
        if self.champion is None or self.challenger is None:
            return None
        return self.challenger - self.champion

    @property
    def shows_gain(self) -> bool:
        """Whether chance alone would gain as much in at most `error` of all cases."""
        if self.p_value is not None:
            return self.p_value <= self.error
        return self.low is not None and self.low > 0

    def rules_out_drop(self, margin: float) -> bool:
        """Whether a drop of more than a margin is ruled out."""
        return self.low is not None and self.low > -margin


def effective_documents(label_counts: Mapping[str, int]) -> float:
    """Return how many documents an average over labels is worth: labels times their harmonic mean.

    An average over labels is as uncertain as its rarest labels make it.

    Examples
    --------
    >>> effective_documents({"A": 50, "B": 50})
    100.0
    >>> round(effective_documents({"A": 95, "B": 5}))
    19
    """
    counts = [count for count in label_counts.values() if count]
    return len(counts) ** 2 / sum(1 / count for count in counts) if counts else 0.0


def of_averages(
    metric: str,
    champion: float | None,
    challenger: float | None,
    *,
    documents: int | None,
    label_counts: Mapping[str, int],
    error: float,
) -> Comparison:
    """Compare one average of an iteration.

    Parameters
    ----------
    documents : int or None
        In the test set; None where that is not known.
    label_counts : mapping of str to int
        Test documents of each label; empty where an average is over documents or mentions.
    """
    low = high = needed = None
    method = "the averages; how many test documents they are of is not known"
    worth = float(documents or 0)
    if metric != ACCURACY and label_counts:
        worth = min(effective_documents(label_counts), worth)
    if documents and worth and champion is not None and challenger is not None:
        spread = champion * (1 - champion) + challenger * (1 - challenger)
        needed = documents_needed(challenger - champion, spread / worth, documents, error)
        method = f"the averages of {documents:,} test documents"
        if worth < LEAST_WORTH:
            # No gain is so large that fewer would do.
            needed = needed and max(needed, math.ceil(documents * LEAST_WORTH / worth))
            rare = f", worth {math.floor(worth)} by its rarest labels" if worth < documents else ""
            method += f"{rare}: too few for bounds"
        else:
            correlation = intervals.least_favourable_correlation(champion, challenger)
            low, high = intervals.unpaired_gain(
                champion, challenger, worth, error, correlation=correlation
            )
    return Comparison(
        metric, None, champion, challenger, documents, low, high, None, error, method, needed
    )


def of_answers(
    documents: Sequence[ScoredDocument],
    measured: Iterable[Measured],
    *,
    kind: Kind,
    labels: int,
    error: float,
    seed: int,
) -> dict[Measured, Comparison]:
    """Compare metrics by both models' answers to the same documents.

    Accuracy of single labels is a share of documents, for which tests are exact: McNemar's, and
    Tango's bounds. All other metrics are resampled.

    Parameters
    ----------
    measured : iterable of Measured
        Those that a decision needs; a metric that the task does not have is left out.
    """
    champion, challenger = tallies(documents, kind=kind, labels=labels)
    wanted = list(dict.fromkeys(measured))
    exact = (ACCURACY, None) if kind == "multi-class" else None
    resampled: Mapping[Measured, Chance] = {}
    if champion is not None:
        others = [each for each in wanted if each != exact]
        resampled = chances(documents, others, kind=kind, labels=labels, error=error, seed=seed)
    found = {}
    for metric, label in wanted:
        old = champion.metric(metric, label) if champion else None
        new = challenger.metric(metric, label)
        if new is None:
            continue
        count = len(documents) if label is None else challenger.actual[label]
        if old is None:
            found[metric, label] = _single(metric, label, new, count, error)
        elif (metric, label) == exact:
            found[metric, label] = _exact(documents, old, new, error)
        else:
            found[metric, label] = _drawn(
                (metric, label),
                (old, new),
                resampled[metric, label],
                documents=count,
                worth=_worth(challenger, metric, label),
                error=error,
            )
    return found


def _single(metric: str, label: str | None, value: float, count: int, error: float) -> Comparison:
    method = f"{count:,} test documents"
    return Comparison(metric, label, None, value, count, None, None, None, error, method, None)


def _exact(documents: Sequence[ScoredDocument], old: float, new: float, error: float) -> Comparison:
    fixed = sum(each.is_fixed for each in documents)
    broken = sum(each.is_broken for each in documents)
    return exact_accuracy(
        old, new, fixed=fixed, broken=broken, documents=len(documents), error=error
    )


def exact_accuracy(
    old: float, new: float, *, fixed: int, broken: int, documents: int, error: float
) -> Comparison:
    """Compare accuracies by how many documents the challenger fixed and broke."""
    low, high = intervals.paired_gain(fixed, broken, documents, error)
    gain = (fixed - broken) / documents
    needed = documents_needed(gain, (fixed + broken) / documents**2, documents, error)
    if needed is not None:
        # An exact test moves in steps of a document: Miettinen's correction.
        needed += math.ceil(1 / gain)
    return Comparison(
        ACCURACY,
        None,
        old,
        new,
        documents,
        low,
        high,
        intervals.mcnemar(fixed, broken),
        error,
        f"exact McNemar on {documents:,} documents, {fixed:,} fixed and {broken:,} broken",
        needed,
    )


def _drawn(
    measured: Measured,
    values: tuple[float, float],
    chance: Chance,
    *,
    documents: int,
    worth: float,
    error: float,
) -> Comparison:
    gain = values[1] - values[0]
    # Resamples cannot show what no document showed: bounds are never nearer than Tango's.
    hidden = intervals.no_disagreement(worth, error)
    return Comparison(
        *measured,
        *values,
        documents,
        max(-1.0, min(chance.low, gain - hidden)),
        min(1.0, max(chance.high, gain + hidden)),
        chance.p_value,
        error,
        f"approximate randomization ({DRAWS:,} draws) and paired bootstrap ({RESAMPLES:,}) "
        f"on {documents:,} documents",
        documents_needed(gain, chance.deviation**2, documents, error),
    )


def _worth(tally: Tally, metric: str, label: str | None) -> float:
    if label is not None:
        return tally.actual[label]
    if metric in AVERAGES_OF_LABELS and tally.kind != "entities":
        return effective_documents(tally.actual)
    return tally.documents


def documents_needed(gain: float, variance: float, documents: int, error: float) -> int | None:
    """Return with how many documents a gain would show in `POWER` of all cases.

    Parameters
    ----------
    variance : float
        Of the gain, as measured on `documents`; it falls as their number grows.
    """
    if gain <= 0 or not variance:
        return None
    reach = intervals.quantile(error) + intervals.quantile(1 - POWER)
    return max(1, math.ceil(documents * variance * reach**2 / gain**2))

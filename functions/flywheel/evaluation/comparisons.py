"""One metric of two models: both values, and how far chance carries the gain.

There are two levels. An iteration's averages do not show how the predictions are paired, so bounds
assume the least favourable pairing that the averages allow. Both models' predictions for the same
documents show it. Knows no rules. Read next: `flywheel.evaluation.worth` (which documents count),
`flywheel.evaluation.label_metrics`, `flywheel.evaluation.evidence`,
`flywheel.evaluation.effective_rules`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flywheel.evaluation import intervals
from flywheel.evaluation.predictions import ACCURACY, Kind, ScoredDocument, tallies
from flywheel.evaluation.resampling import DRAWS, RESAMPLES, Chance, Measured, chances, draws_for
from flywheel.evaluation.worth import AveragesWorth, answers_worth, group_counts
from flywheel.number_words import number_of


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
    deviation : float or None
        Standard deviation of the gain on a test set of this size; None where not known.
    drop_p_value : float or None
        One-sided, of a drop; None where no answers were exchanged.
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
    deviation: float | None = None
    drop_p_value: float | None = None

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


def of_averages(
    metric: str,
    champion: float | None,
    challenger: float | None,
    *,
    documents: int | None,
    worth: AveragesWorth,
    error: float,
) -> Comparison:
    """Compare one average of an iteration.

    Parameters
    ----------
    documents : int or None
        In the test set; None where that is not known.
    worth : AveragesWorth
        `flywheel.evaluation.worth.averages_worth` of the metric.
    """
    low = high = deviation = None
    method = worth.reason or f"the averages of {number_of(documents or 0, 'test document')}"
    if worth.documents and champion is not None and challenger is not None:
        spread = champion * (1 - champion) + challenger * (1 - challenger)
        deviation = math.sqrt(spread / worth.documents)
        if worth.has_bounds:
            # Labels have shares of their own, so the average bounds no label's disagreement.
            correlation = (
                -1.0
                if worth.is_over_labels
                else intervals.least_favourable_correlation(champion, challenger)
            )
            low, high = intervals.unpaired_gain(
                champion, challenger, worth.documents, error, correlation=correlation
            )
    return Comparison(
        metric, None, champion, challenger, documents, low, high, None, error, method, deviation
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
    counts = group_counts(documents)
    is_exact = kind == "multi-class" and not any(each.group for each in documents)
    exact = (ACCURACY, None) if is_exact else None
    resampled: Mapping[Measured, Chance] = {}
    if champion is not None:
        others = [each for each in wanted if each != exact]
        resampled = chances(documents, others, kind=kind, labels=labels, error=error, seed=seed)
    compared = {}
    for metric, label in wanted:
        old = champion.metric(metric, label) if champion else None
        new = challenger.metric(metric, label)
        if new is None:
            continue
        count = len(documents) if label is None else challenger.actual[label]
        if old is None:
            compared[metric, label] = _single(metric, label, new, count, error)
        elif (metric, label) == exact:
            compared[metric, label] = _exact(documents, old, new, error)
        else:
            compared[metric, label] = of_chance(
                (metric, label),
                (old, new),
                resampled[metric, label],
                documents=count,
                worth=answers_worth(metric, label, kind, counts, challenger.actual),
                error=error,
            )
    return compared


def _single(metric: str, label: str | None, value: float, count: int, error: float) -> Comparison:
    method = number_of(count, "test document")
    return Comparison(metric, label, None, value, count, None, None, None, error, method)


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
        f"exact McNemar on {number_of(documents, 'document')}, {fixed:,} fixed and {broken:,} "
        "broken",
        math.sqrt(fixed + broken) / documents,
        intervals.mcnemar(broken, fixed),
    )


def of_chance(
    measured: Measured,
    values: tuple[float, float],
    chance: Chance,
    *,
    documents: int,
    worth: float,
    error: float,
) -> Comparison:
    """Compare a metric by how far chance carries its gain.

    Parameters
    ----------
    measured : Measured
    values : tuple of float
        The champion's and the challenger's.
    chance : Chance
    documents : int
    worth : float
        `flywheel.evaluation.worth.answers_worth` of the metric.
    error : float
    """
    gain = values[1] - values[0]
    # Resamples cannot show what no document showed: bounds are never nearer than Tango's.
    hidden = intervals.no_disagreement(worth, error)
    independent = f", worth {worth:,.0f}" if worth < documents - 0.5 else ""
    return Comparison(
        *measured,
        *values,
        documents,
        max(-1.0, min(chance.low, gain - hidden)),
        min(1.0, max(chance.high, gain + hidden)),
        chance.p_value,
        error,
        f"approximate randomization ({draws_for(error, DRAWS):,} draws) and paired bootstrap "
        f"({draws_for(error, RESAMPLES):,}) on {number_of(documents, 'document')}{independent}",
        chance.deviation,
        chance.drop_p_value,
    )

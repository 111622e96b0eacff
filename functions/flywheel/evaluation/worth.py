"""How many independent documents a metric of a test set is worth.

An average over labels is as uncertain as its rarest labels make it; mentions of one document, and
documents of one group, are right or wrong together. Decides what counts, and below what averages
carry nothing. Read next: `flywheel.evaluation.comparisons` (what the worth is used for),
`flywheel.intake.document_groups` (what makes a group).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flywheel.evaluation.predictions import (
    ACCURACY,
    AVERAGES_OF_LABELS,
    Kind,
    ScoredDocument,
    clusters,
)
from flywheel.intake.document_groups import GroupCounts, count_groups
from flywheel.number_words import number_of

LEAST_WORTH = 40
"""Documents that an average must be worth, or its bounds are no bounds.

The rule of thumb for where a normal curve passes for a binomial one is 30; recognizers need 40 in
simulation. With three documents of a rare label, F1 jumps by a third of its weight for each.
"""


@dataclass(frozen=True, slots=True)
class AveragesWorth:
    """What an iteration's average of a metric is worth.

    Parameters
    ----------
    documents : float
        Independent documents; 0 where averages show nothing of the metric.
    reason : str
        Why they show no gain; empty where they may.
    is_over_labels : bool
        Whether the metric is an average over labels.
    """

    documents: float
    reason: str = ""
    is_over_labels: bool = False

    @property
    def has_bounds(self) -> bool:
        """Whether averages may show a gain."""
        return not self.reason


def effective_documents(label_counts: Mapping[str, int]) -> float:
    """Return how many documents an average of answers is worth: labels times their harmonic mean.

    Examples
    --------
    >>> effective_documents({"A": 50, "B": 50})
    100.0
    >>> round(effective_documents({"A": 95, "B": 5}))
    19
    """
    counts = [count for count in label_counts.values() if count]
    return len(counts) ** 2 / math.fsum(1 / count for count in counts) if counts else 0.0


def averages_worth(
    metric: str,
    kind: Kind,
    documents: int | None,
    label_counts: Mapping[str, int],
    *,
    groups: int | None = None,
    label_groups: Mapping[str, int] | None = None,
) -> AveragesWorth:
    """Return what an average of an iteration is worth.

    Parameters
    ----------
    documents : int or None
        In the test set; None where that is not known.
    label_counts : mapping of str to int
        Documents of each label, or mentions of each type.
    groups, label_groups : int and mapping of str to int, optional
        Groups with a label or mention, and those of each label; None where they were not counted.

    Examples
    --------
    >>> averages_worth("AverageF1Score", "entities", 5000, {"DRUG": 50}, groups=45)
    AveragesWorth(documents=45, reason='', is_over_labels=False)

    Notes
    -----
    How sure a label's metric is depends on its value, of which an average says nothing: the rare
    labels may be the hard ones. By concavity ``sum F_l (1 - F_l) / n_l / L^2`` is at most
    ``F (1 - F) / (L min n_l)``. So an average over L labels is worth at least L times the documents
    of the rarest. Their harmonic mean would promise too much: with hard rare labels, equal models
    were promoted in up to 36 % of simulated looks.
    """
    if not documents:
        return AveragesWorth(0, "the averages; how many test documents they are of is not known")
    of = f"the averages of {number_of(documents, 'test document')}"
    if metric == "AveragePrecision":
        # Only the predictions of a label count, and averages do not say how many there are.
        return AveragesWorth(0, f"{of}, which do not say how often each label was predicted")
    is_over_labels = kind != "entities" and metric != ACCURACY
    if kind == "entities":
        if groups is None:
            return AveragesWorth(0, f"{of}; how many of them have a mention is not known")
        worth: float = min(groups, sum(label_counts.values()))
        why = "by those with mentions"
    else:
        worth = documents if groups is None else min(groups, documents)
        why = "by its groups of documents"
        counts = [count for count in (label_groups or label_counts).values() if count]
        if is_over_labels and counts:
            worth, why = min((worth, why), (len(counts) * min(counts), "by its rarest label"))
    if worth < LEAST_WORTH:
        much = f", worth {math.floor(worth)} {why}" if worth < documents else ""
        return AveragesWorth(worth, f"{of}{much}: too few for bounds")
    return AveragesWorth(worth, is_over_labels=is_over_labels)


def group_counts(documents: Sequence[ScoredDocument]) -> GroupCounts:
    """Return how many groups of documents there are with a label or mention, and of each label."""
    numbered = [
        (number, [label for label, _ in each.actual])
        for number, cluster in enumerate(clusters(documents))
        for each in cluster
    ]
    return count_groups([number for number, _ in numbered], [labels for _, labels in numbered])


def answers_worth(
    metric: str, label: str | None, kind: Kind, counts: GroupCounts, mentions: Mapping[str, int]
) -> float:
    """Return what a metric of both models' answers is worth.

    Parameters
    ----------
    counts : GroupCounts
        Of the test documents.
    mentions : mapping of str to int
        Documents of each label, or mentions of each type.
    """
    if label is not None:
        return min(counts.label_groups[label], mentions[label])
    if kind == "entities":
        return min(counts.groups, sum(mentions.values()))
    if metric in AVERAGES_OF_LABELS:
        return min(effective_documents(counts.label_groups), counts.groups)
    return counts.groups

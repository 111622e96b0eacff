"""What two models' predictions for the same test documents show, and where they are stored.

Decides what a verdict names of them. Knows no rules. Read next: `flywheel.evaluation.comparisons`
(the arithmetic), `flywheel.evaluation.evidence` (what else an iteration shows).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flywheel.evaluation.comparisons import Comparison, of_answers
from flywheel.evaluation.predictions import Kind, ScoredDocument, tallies
from flywheel.evaluation.resampling import Measured

_IDS_KEPT = 50
"""Ids of fixed and of broken documents that a verdict names; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Where one model's predictions for the test set are stored, and what they cost.

    Parameters
    ----------
    model : str
        Its ARN.
    key, sha256 : str
        The staging object, and its hash.
    job : str
        ARN of the job that made them.
    seconds : float
        How long that job took.
    usd : float
        What it cost, estimated; 0 where the answers were there already.
    """

    model: str
    key: str
    sha256: str
    job: str
    seconds: float
    usd: float


@dataclass(frozen=True, slots=True)
class LabelChange:
    """F1 of one label or entity type, of both models."""

    label: str
    documents: int
    champion: float | None
    challenger: float

    @property
    def gain(self) -> float | None:
        """What the challenger has more."""
        return None if self.champion is None else self.challenger - self.champion


@dataclass(frozen=True, slots=True)
class PairedEvidence:
    """What both models answered to the same documents.

    Parameters
    ----------
    test_set_sha256 : str
        Of the documents that both answered.
    documents : int
    fixed, broken : int
        Documents that only the challenger, or only the champion, got wholly right.
    disputed : int
        Documents to which the models' answers count differently.
    fixed_ids, broken_ids : tuple of str
        The first ones of them.
    comparisons : tuple of Comparison
    labels : tuple of LabelChange
        Largest loss first.
    seed : int
    predictions : tuple of Predictions
    anchor : tuple of Comparison
        The anchor in the champion's place; empty without an anchor.
    """

    test_set_sha256: str
    documents: int
    fixed: int
    broken: int
    disputed: int
    fixed_ids: tuple[str, ...]
    broken_ids: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    labels: tuple[LabelChange, ...]
    seed: int
    predictions: tuple[Predictions, ...] = ()
    anchor: tuple[Comparison, ...] = ()

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "PairedEvidence":
        """Read stored evidence; what an earlier release kept beside is left out."""
        fields = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        return cls(
            **{
                **fields,
                "fixed_ids": tuple(stored["fixed_ids"]),
                "broken_ids": tuple(stored["broken_ids"]),
                "comparisons": _comparisons(stored["comparisons"]),
                "labels": tuple(LabelChange(**each) for each in stored["labels"]),
                "predictions": tuple(Predictions(**each) for each in stored["predictions"]),
                "anchor": _comparisons(stored.get("anchor", ())),
            }
        )


def paired_evidence(
    documents: Sequence[ScoredDocument],
    measured: Iterable[Measured],
    *,
    kind: Kind,
    labels: int,
    error: float,
    test_set_sha256: str,
    predictions: tuple[Predictions, ...] = (),
    anchor: Sequence[ScoredDocument] | None = None,
) -> PairedEvidence:
    """Return what both models' predictions for the same documents show.

    Parameters
    ----------
    documents : sequence of ScoredDocument
    measured : iterable of Measured
        The metrics that a policy names.
    labels : int
        How many labels there are to choose from.
    error : float
        E.g. 0.04.
    anchor : sequence of ScoredDocument, optional
        The same documents with the anchor's answers in the champion's place.
    """
    measured = tuple(measured)
    seed = _seed(test_set_sha256, predictions)
    champion, challenger = tallies(documents, kind=kind, labels=labels)
    compared = of_answers(documents, measured, kind=kind, labels=labels, error=error, seed=seed)
    changes = [
        LabelChange(
            label,
            count,
            champion.metric("F1Score", label) if champion else None,
            challenger.metric("F1Score", label) or 0.0,
        )
        for label, count in challenger.actual.items()
    ]
    changes.sort(key=lambda each: (each.challenger - (each.champion or 0.0), each.label))
    fixed = [each.id for each in documents if each.is_fixed]
    broken = [each.id for each in documents if each.is_broken]
    return PairedEvidence(
        test_set_sha256=test_set_sha256,
        documents=len(documents),
        fixed=len(fixed) if champion else 0,
        broken=len(broken),
        disputed=sum(each.is_disputed for each in documents),
        fixed_ids=tuple(fixed[:_IDS_KEPT]) if champion else (),
        broken_ids=tuple(broken[:_IDS_KEPT]),
        comparisons=tuple(compared.values()),
        labels=tuple(changes),
        seed=seed,
        predictions=predictions,
        anchor=_anchored(anchor, measured, kind=kind, labels=labels, error=error, seed=seed),
    )


def _anchored(
    documents: Sequence[ScoredDocument] | None,
    measured: Iterable[Measured],
    *,
    kind: Kind,
    labels: int,
    error: float,
    seed: int,
) -> tuple[Comparison, ...]:
    if documents is None:
        return ()
    averaged = [(metric, label) for metric, label in measured if label is None]
    shown = of_answers(documents, averaged, kind=kind, labels=labels, error=error, seed=seed)
    return tuple(shown.values())


def _seed(test_set_sha256: str, predictions: Sequence[Predictions]) -> int:
    """Return a seed that follows from what is compared, so that nobody can choose a lucky one."""
    named = " ".join((test_set_sha256, *(each.sha256 for each in predictions)))
    return int(hashlib.sha256(named.encode()).hexdigest()[:12], 16)


def _comparisons(stored: Iterable[Mapping[str, Any]]) -> tuple[Comparison, ...]:
    names = Comparison.__dataclass_fields__.keys()
    return tuple(
        Comparison(**{name: value for name, value in each.items() if name in names})
        for each in stored
    )

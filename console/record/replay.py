"""A stored verdict, computed again from the answers and rows that are kept.

Decides what is read and that it must be what the verdict names by hash. Asks models nothing and
changes nothing. Read next: `console.record.verdict_again` (what is computed).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from application.comparison.stored_answers import (
    AnswersMissingError,
    ModelAnswers,
    StoredAnswers,
    compared,
)
from application.configuration import KnownFlywheel
from application.ports import StagingObjects
from console.record.derived_inputs import DerivedInputs
from console.record.verdict_again import evidence_of, judged_again, policy_of
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.paired_evidence import PairedEvidence, Predictions
from flywheel.settings.data_format import DataFormat, described_labels

TaskConfig = Callable[[], Mapping[str, Any]]


def replayed(
    document: Mapping[str, Any],
    staging: StagingObjects,
    known: KnownFlywheel,
    task_config: TaskConfig,
    derived: DerivedInputs | None = None,
) -> str:
    """Return the document that follows now from what a verdict was made from.

    Parameters
    ----------
    document : mapping
        The verdict's, as it is kept.
    task_config : callable
        Asks the service for the task and labels of the verdict's flywheel; only where both
        models answered.
    derived : DerivedInputs, optional
        What is judged by in place of what the document says; left out, that counts.

    Raises
    ------
    AnswersMissingError
        An object that the verdict names is not there, or is another.
    """
    evidence = evidence_of(document)
    if derived is not None:
        evidence = replace(evidence, kind=derived.kind, test_set=derived.test_set)
    stored = Evidence.from_document(document["evidence"]).paired
    if stored is not None:
        config = task_config()
        paired = _paired_again(
            document,
            evidence,
            stored,
            staging=staging,
            shape=known.shape(lambda: config),
            labels=len(described_labels(config)),
        )
        evidence = replace(evidence, paired=paired)
    return judged_again(document, evidence)


def kept_for(
    document: Mapping[str, Any], staging: StagingObjects, paired: PairedEvidence
) -> StoredAnswers:
    """Return where the rows and answers are that a verdict was made from."""
    return StoredAnswers(staging, document["flywheel"], paired.test_set_sha256)


def answers_for(kept: StoredAnswers, named: Predictions) -> ModelAnswers:
    """Return answers that a verdict names.

    Raises
    ------
    AnswersMissingError
        They are not there, or their sha256 is another.
    """
    written = kept.staging.text(named.key)
    if written is None:
        raise AnswersMissingError(f"{named.key} is not there")
    sha256 = hashlib.sha256(written.encode()).hexdigest()
    if sha256 != named.sha256:
        raise AnswersMissingError(
            f"{named.key} was changed: its sha256 is {sha256}, the verdict names {named.sha256}"
        )
    return ModelAnswers.of(written)


def _paired_again(
    document: Mapping[str, Any],
    evidence: Evidence,
    stored: PairedEvidence,
    *,
    staging: StagingObjects,
    shape: DataFormat,
    labels: int,
) -> PairedEvidence:
    kept = kept_for(document, staging, stored)
    found = {each.model: answers_for(kept, each) for each in stored.predictions}
    challenger = found.get(evidence.challenger_arn or "")
    if challenger is None:
        raise AnswersMissingError(f"the verdict names no answers of {evidence.challenger_arn}")
    return compared(
        kept.rows(),
        found.get(evidence.champion_arn or ""),
        challenger,
        policy_of(document),
        error=evidence.error(policy_of(document)),
        anchor=found.get(evidence.anchor_arn or ""),
        shape=shape,
        labels=labels,
        test_set_sha256=kept.test_set_sha256,
        predictions=tuple(
            kept.predictions(each.model, found[each.model], is_paid=bool(each.usd))
            for each in stored.predictions
        ),
    )

"""A stored verdict, computed again from the answers and rows that are kept.

Decides what is read from the verdict's document and what is computed. The averages come from the
iteration's numbers, the policy is the one that was applied, and each object must have the hash that
the verdict names. Everything else is computed again. Asks models nothing and changes nothing.
Read next: `flywheel.evaluation.verdict`, `console.record.replay_view`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
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
from flywheel.evaluation.evidence import Evidence, averages
from flywheel.evaluation.paired_evidence import PairedEvidence, Predictions
from flywheel.evaluation.verdict import decide
from flywheel.evaluation.verdict_document import VerdictFacts, canonical, verdict_document
from flywheel.settings.data_format import DataFormat, described_labels
from flywheel.settings.policy import Policy


def policy_of(document: Mapping[str, Any]) -> Policy:
    """Return the policy that a verdict was made with."""
    return Policy.model_validate(document["policy"])


def evidence_of(document: Mapping[str, Any]) -> Evidence:
    """Return what a verdict was made from, without the models' answers.

    Values that a document holds twice come from its inputs, so that a change of either shows.
    """
    stored = Evidence.from_document({**document["evidence"], "paired": None})
    inputs = document["inputs"]
    numbers, judged = inputs["iteration"], inputs["test_set"]
    test_set = stored.test_set
    if test_set is not None and judged is not None:
        test_set = replace(test_set, sha256=judged["sha256"], documents=judged["documents"])
    return replace(
        stored,
        champion=_numbers(numbers["evaluated_metrics"]) if stored.champion_arn else None,
        challenger_arn=numbers["trained_model"],
        challenger=_numbers(numbers["trained_metrics"]),
        test_set=test_set,
    )


def judged_again(document: Mapping[str, Any], evidence: Evidence) -> str:
    """Return the document of the verdict that follows now from the same inputs.

    Parameters
    ----------
    document : mapping
        As it is kept.
    evidence : Evidence
        Computed again; with both models' answers where the verdict has them.
    """
    again = json.loads(decide(evidence, policy_of(document)).to_json())
    if not any("bound_kind" in rule for rule in document["rules"]):
        # A release made it that did not store what kind a bound is of.
        for rule in again["outcomes"]:
            del rule["bound_kind"]
    facts = {field.name: document[field.name] for field in fields(VerdictFacts)}
    return verdict_document(json.dumps(again), canonical(facts))


def first_difference(kept: str, again: str) -> str | None:
    """Return the path of the first value in which two JSON documents differ, with both values.

    Examples
    --------
    >>> first_difference('{"a":[1,{"b":2}]}', '{"a":[1,{"b":3}]}')
    'a[1].b: 2 is kept, 3 follows'
    >>> first_difference('{"a":1}', '{"a":1}') is None
    True
    >>> first_difference('{"a":1}', '{"a": 1}')
    'the spelling: the values are the same'
    """
    if kept == again:
        return None
    difference = _difference(json.loads(kept), json.loads(again), "")
    return difference or "the spelling: the values are the same"


_ABSENT = object()


def _difference(kept: Any, again: Any, path: str) -> str | None:
    if isinstance(kept, dict) and isinstance(again, dict):
        for name in sorted({*kept, *again}):
            inner = f"{path}.{name}" if path else name
            difference = _difference(kept.get(name, _ABSENT), again.get(name, _ABSENT), inner)
            if difference:
                return difference
        return None
    if isinstance(kept, list) and isinstance(again, list):
        for place in range(max(len(kept), len(again))):
            old, new = (each[place] if place < len(each) else _ABSENT for each in (kept, again))
            difference = _difference(old, new, f"{path}[{place}]")
            if difference:
                return difference
        return None
    is_same = type(kept) is type(again) and kept == again
    return None if is_same else f"{path}: {_shown(kept)} is kept, {_shown(again)} follows"


def _shown(value: Any) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value)[:200]


def _numbers(metrics: Mapping[str, float | None] | None) -> dict[str, float]:
    """Return averages; a null stands for a value that was no number."""
    given = metrics or {}
    return averages({name: math.nan if one is None else one for name, one in given.items()})


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
        Judged by in place of the document's inputs; by default those count.

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
    """Return the store of the rows and answers that a verdict was made from."""
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
    answers = {each.model: answers_for(kept, each) for each in stored.predictions}
    challenger = answers.get(evidence.challenger_arn or "")
    if challenger is None:
        raise AnswersMissingError(f"the verdict names no answers of {evidence.challenger_arn}")
    return compared(
        kept.rows(),
        answers.get(evidence.champion_arn or ""),
        challenger,
        policy_of(document),
        error=evidence.error(policy_of(document)),
        anchor=answers.get(evidence.anchor_arn or ""),
        shape=shape,
        labels=labels,
        test_set_sha256=kept.test_set_sha256,
        predictions=tuple(
            kept.predictions(each.model, answers[each.model], is_paid=bool(each.usd))
            for each in stored.predictions
        ),
    )

"""A verdict as the JSON document that is stored: the decision, every rule, and its inputs.

Decides the document's members and its bytes. The same verdict and facts always give the same
bytes: the sha256 stands in the audit, and in the next document. The schema that is
published for it (docs/schemas/verdict.schema.json) is made from the dataclasses here and in
`flywheel.evaluation.verdict`. Read next: `application.comparison.judgement` (who stores it).
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flywheel.evaluation.verdict import Verdict

SCHEMA_VERSION = 2
"""1 is of an older gate: without looks by pair and generation, groups and anchors."""

_RULES, _OUTCOMES = "rules", "outcomes"
"""What the document and what `Verdict` call the rules and what became of them."""


@dataclass(frozen=True, slots=True)
class JudgedTestSet:
    """The frozen test set that judged both models; sha256 is over its rows, in any order."""

    version: int
    sha256: str
    documents: int


@dataclass(frozen=True, slots=True)
class IterationNumbers:
    """What the service reports of the iteration; None where it left something out."""

    evaluated_model: str | None
    evaluated_metrics: Mapping[str, float | None] | None
    trained_model: str | None
    trained_metrics: Mapping[str, float | None] | None


@dataclass(frozen=True, slots=True)
class VerdictInputs:
    """What the verdict was made from, by hash or by the service's own name.

    Parameters
    ----------
    manifest_key : str
        In the staging bucket; it names every upload and its canonical copy.
    manifest_sha256 : str or None
    datasets : sequence of str
        ARNs of the batch's own.
    test_set : JudgedTestSet or None
        None where the service split off its own.
    iteration : IterationNumbers
        None for the numbers of an iteration that is judged again: an earlier test set gave them.
    rejudges : int or None
        The held batch whose models were judged again.
    """

    manifest_key: str
    manifest_sha256: str | None
    datasets: Sequence[str]
    test_set: JudgedTestSet | None
    iteration: IterationNumbers
    rejudges: int | None = None


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """What stands in a verdict's document beside the verdict.

    Parameters
    ----------
    environment, flywheel, flywheel_arn : str
    generation, batch, attempt : int
    iteration_id : str or None
    decided_at : str
        ISO 8601, UTC.
    actor : str
        Who decided: a function's name.
    expected_champion : str or None
        The model that a promotion would replace.
    inputs : VerdictInputs
    policy : mapping
        As it was applied, every default included; ``policy_sha256`` is of its canonical JSON.
    previous_sha256 : str
        Of the flywheel's document before this one; 64 zeros where there is none.
    schema_version : int
    product_version : str
    """

    environment: str
    flywheel: str
    flywheel_arn: str
    generation: int
    batch: int
    attempt: int
    iteration_id: str | None
    decided_at: str
    actor: str
    expected_champion: str | None
    inputs: VerdictInputs
    policy: Mapping[str, Any]
    previous_sha256: str
    product_version: str
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Return the facts as canonical JSON."""
        return canonical(_finite(asdict(self)))


def verdict_document(verdict: str, facts: str) -> str:
    """Return the document of a verdict.

    From text, so that a release that knows more of a verdict makes the same document of an older
    one.

    Parameters
    ----------
    verdict : str
        `Verdict.to_json`.
    facts : str
        `VerdictFacts.to_json`.

    Returns
    -------
    str
        Canonical JSON: sorted names, no blanks, ASCII; a number that is none is null.

    Examples
    --------
    >>> verdict_document('{"decision": "HOLD", "outcomes": []}', '{"batch": 3}')
    '{"batch":3,"decision":"HOLD","rules":[]}'
    """
    decided: dict[str, Any] = _finite(json.loads(verdict))
    decided[_RULES] = decided.pop(_OUTCOMES)
    return canonical({**decided, **json.loads(facts)})


def decided_verdict(document: Mapping[str, Any]) -> Verdict:
    """Return the verdict that a document is of."""
    return Verdict.from_values({**document, _OUTCOMES: document[_RULES]})


def document_sha256(document: str) -> str:
    """Return the hash that names a document: 64 hex digits over its bytes."""
    return hashlib.sha256(document.encode()).hexdigest()


def _finite(value: Any) -> Any:
    """Return JSON values with null for what is not a number, which JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def canonical(values: Any) -> str:
    """Return values as canonical JSON: sorted names, no blanks, ASCII."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)

"""A stored verdict, judged again from what it says it was made from.

Decides what is taken from its document and what is made anew: the averages come from the
iteration's numbers, the policy is the one that was applied, the models' answers are handed in.
Everything that follows from these is computed again. Read next: `flywheel.evaluation.verdict`,
`console.record.replay` (who hands the answers in).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from flywheel.evaluation.evidence import Evidence, averages
from flywheel.evaluation.verdict import decide
from flywheel.evaluation.verdict_document import VerdictFacts, canonical, verdict_document
from flywheel.settings.policy import Policy


def policy_of(document: Mapping[str, Any]) -> Policy:
    """Return the policy that a verdict was made with."""
    return Policy.model_validate(document["policy"])


def evidence_of(document: Mapping[str, Any]) -> Evidence:
    """Return what a verdict was made from, without the models' answers.

    What stands twice in a document is taken from its inputs, so that a change of either shows.
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
        Made anew; both models' answers in it where the verdict has them.
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
    found = _difference(json.loads(kept), json.loads(again), "")
    return found or "the spelling: the values are the same"


_ABSENT = object()


def _difference(kept: Any, again: Any, path: str) -> str | None:
    if isinstance(kept, dict) and isinstance(again, dict):
        for name in sorted({*kept, *again}):
            inner = f"{path}.{name}" if path else name
            found = _difference(kept.get(name, _ABSENT), again.get(name, _ABSENT), inner)
            if found:
                return found
        return None
    if isinstance(kept, list) and isinstance(again, list):
        for place in range(max(len(kept), len(again))):
            old, new = (each[place] if place < len(each) else _ABSENT for each in (kept, again))
            found = _difference(old, new, f"{path}[{place}]")
            if found:
                return found
        return None
    is_same = type(kept) is type(again) and kept == again
    return None if is_same else f"{path}: {_shown(kept)} is kept, {_shown(again)} follows"


def _shown(value: Any) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value)[:200]


def _numbers(metrics: Mapping[str, float | None] | None) -> dict[str, float]:
    """Return averages; a null stands for what was no number."""
    given = metrics or {}
    return averages({name: math.nan if one is None else one for name, one in given.items()})

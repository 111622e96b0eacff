"""Hashes that name what a verdict stands on: whatever changes a decision has another name."""

from typing import Any, get_args

import pytest

from flywheel.batches.known_rows import content_hash, record
from flywheel.evaluation.paired_evidence import Predictions, paired_evidence
from flywheel.evaluation.verdict import policy_sha256
from flywheel.intake.labeled_rows import LabeledRow
from flywheel.settings.policy import LABEL_METRICS, METRICS, Policy
from tests.flywheel.evaluation.answers import paired

NON_INFERIORITY = {"comparison": "non-inferiority"}
CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"mode": "approve"}),
    ({}, {"mode": "shadow"}),
    ({}, {"approve_first": 0}),
    ({}, {"approval_timeout_hours": 119}),
    ({}, {"on_approval_timeout": "promote"}),
    ({}, NON_INFERIORITY),
    (NON_INFERIORITY, {"margin": 0.02}),
    (NON_INFERIORITY, {"allow_proven_loss": True}),
    ({}, {"evidence": "averages"}),
    ({}, {"evidence": "none"}),
    ({}, {"critical_labels": ["FRAUD"]}),
    ({"critical_labels": ["FRAUD"]}, {"critical_labels": ["SPAM"]}),
    ({}, {"critical_max_drop": 0.04}),
    ({}, {"critical_min_documents": 29}),
    ({}, {"min_test_documents": 29}),
    ({}, {"test_looks_warning": 19}),
    ({}, {"test_looks_hold": 51}),
    ({}, {"family_error": "strict"}),
    ({}, {"looks_planned": 11}),
    ({}, {"outside_iterations": "ignore"}),
    ({}, {"rules": [{"metric": "AverageF1Score", "min": 0.51}]}),
]
"""A policy, and what alone is another value in the next one."""


@pytest.mark.parametrize(("before", "change"), CHANGES, ids=str)
def test_a_policy_has_another_name_when_one_value_is_another(
    before: dict[str, Any], change: dict[str, Any]
) -> None:
    """Of two verdicts with one hash the same was asked."""
    old, new = (Policy.model_validate(values) for values in (before, {**before, **change}))
    assert policy_sha256(old) != policy_sha256(new)
    (name,) = change
    assert old.document().get(name) != new.document()[name]


def test_every_value_of_a_policy_is_in_its_name_when_all_are_changed() -> None:
    """A key that comes later is changed here too, and so is each word that it may be."""
    assert {name for _, change in CHANGES for name in change} == set(Policy.model_fields)
    for name, field in Policy.model_fields.items():
        words = {word for word in get_args(field.annotation) if isinstance(word, str)}
        changed = {change[name] for _, change in CHANGES if name in change} if words else set()
        assert words - {field.default} == changed, name


RULE = {"metric": "F1Score", "label": "FRAUD", "min": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        *({"metric": metric} for metric in LABEL_METRICS if metric != "F1Score"),
        *({"metric": metric, "label": None} for metric in METRICS),
        {"label": "SPAM"},
        {"min": 0.49},
        {"min": None, "min_improvement": 0.5},
        {"min": None, "max_drop": 0.5},
        {"max_drop": 0.5},
    ],
    ids=str,
)
def test_a_policy_has_another_name_when_a_rule_is_another(change: dict[str, Any]) -> None:
    """Metric, label, bound and value are all in it."""
    old, new = (Policy.model_validate({"rules": [rule]}) for rule in (RULE, {**RULE, **change}))
    assert policy_sha256(old) != policy_sha256(new)


ROWS = [LabeledRow("A", "one"), LabeledRow("B", "two"), LabeledRow("A", "three")]


def named(*rows: LabeledRow) -> str:
    """Return the hash of a test set."""
    return content_hash([b"".join(map(record, rows))])


@pytest.mark.parametrize(
    "other",
    [
        LabeledRow("B", "one"),
        LabeledRow("A", "One"),
        LabeledRow("A", "one", "thread 7"),
        LabeledRow("C", "one"),
    ],
)
def test_a_test_set_has_another_hash_when_a_row_is_another(other: LabeledRow) -> None:
    """A label that was put right makes another test set, as another text or group does."""
    assert named(other, *ROWS[1:]) != named(*ROWS)


def test_a_test_set_has_the_same_hash_when_its_rows_come_in_another_order() -> None:
    """Its files and batches do not matter; a row more, or one twice, does."""
    assert named(*ROWS[::-1]) == named(*ROWS)
    assert len({named(*ROWS), named(*ROWS, ROWS[0]), named(*ROWS[1:])}) == 3


def seed(test_set: str, *answers: str) -> int:
    """Return the seed of what is resampled of answers with these hashes."""
    made = tuple(Predictions("m", "key", sha256, "job", 1.0, 0.1) for sha256 in answers)
    return paired_evidence(
        paired(3, 1, 40, 6),
        [("AverageF1Score", None)],
        kind="multi-class",
        labels=2,
        error=0.05,
        test_set_sha256=test_set,
        predictions=made,
    ).seed


def test_resamples_are_drawn_anew_when_an_answer_is_another() -> None:
    """The seed follows from the test set and both models' answers: none can be chosen."""
    base = seed("t", "champion", "challenger")
    assert base == seed("t", "champion", "challenger")
    others = [
        seed("u", "champion", "challenger"),
        seed("t", "another champion", "challenger"),
        seed("t", "champion", "another challenger"),
        seed("t", "challenger", "champion"),
        seed("t"),
    ]
    assert len({base, *others}) == 6

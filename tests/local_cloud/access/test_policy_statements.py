from typing import Any

import pytest
from moto.iam.access_control import PermissionResult

from local_cloud.access.policy_statements import evaluate

BUCKET = "arn:aws:s3:::inbox"
ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject*", "Resource": f"{BUCKET}/*"}
TLS_ONLY = {
    "Effect": "Deny",
    "Action": "s3:*",
    "Principal": {"AWS": "*"},
    "Resource": [BUCKET, f"{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
PERMITTED, DENIED = PermissionResult.PERMITTED, PermissionResult.DENIED
NEUTRAL = PermissionResult.NEUTRAL


def _result(statement: dict[str, Any], **request: Any) -> PermissionResult:
    parameters = {
        "action": "s3:GetObject",
        "resource": f"{BUCKET}/a.csv",
        "principal": None,
        "context": {},
        **request,
    }
    return evaluate(statement, **parameters)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, PERMITTED),
        ({"action": "S3:getobjectversion"}, PERMITTED),
        ({"action": "s3:PutObject"}, NEUTRAL),
        ({"resource": BUCKET}, NEUTRAL),
        ({"resource": "arn:aws:s3:::other/a.csv"}, NEUTRAL),
    ],
)
def test_the_statement_applies_when_action_and_resource_match(
    request_: dict[str, Any], expected: PermissionResult
) -> None:
    """Wildcards are matched, actions without regard to case."""
    assert _result(ALLOW, **request_) is expected


def test_nothing_is_denied_when_the_condition_is_not_met() -> None:
    """A policy for TLS alone denies nothing, because the loopback stands for TLS."""
    assert _result(TLS_ONLY, principal="arn:aws:iam::1:role/r") is NEUTRAL


@pytest.mark.parametrize(
    ("operator", "expected_value", "actual", "is_met"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["a", "b"], "c", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringLike", "batches/*", "batches/intents/1", True),
        ("ArnLike", "arn:aws:events:*:*:rule/x", "arn:aws:events:us-east-1:1:rule/x", True),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("Null", "true", None, True),
        ("Null", "false", None, False),
    ],
)
def test_the_condition_decides_when_it_compares(
    operator: str, expected_value: Any, actual: str | None, is_met: bool
) -> None:
    """Each operator compares as documented, also with a key that is missing."""
    statement = {**ALLOW, "Condition": {operator: {"s3:prefix": expected_value}}}
    context = {} if actual is None else {"S3:Prefix": actual}

    assert _result(statement, context=context) is (PERMITTED if is_met else NEUTRAL)


@pytest.mark.parametrize(
    ("operator", "actual", "is_met"),
    [
        ("ForAllValues:StringLike", ["AUDIT#1", "OUTBOX"], True),
        ("ForAllValues:StringLike", ["AUDIT#1", "UPLOAD#1"], False),
        ("ForAllValues:StringLike", [], True),
        ("ForAllValues:StringLike", None, True),
        ("ForAnyValue:StringLike", ["UPLOAD#1", "AUDIT#1"], True),
        ("ForAnyValue:StringLike", ["UPLOAD#1", "BATCH#1"], False),
        ("ForAnyValue:StringLike", None, False),
        ("ForAllValues:StringNotLike", ["UPLOAD#1", "BATCH#1"], True),
        ("ForAllValues:StringNotLike", ["UPLOAD#1", "AUDIT#1"], False),
        ("ForAnyValue:StringNotLike", ["UPLOAD#1", "AUDIT#1"], True),
        ("ForAnyValue:StringNotLike", ["OUTBOX", "AUDIT#1"], False),
        ("ForAnyValue:StringLikeIfExists", None, True),
    ],
)
def test_the_set_decides_when_a_key_has_several_values(
    operator: str, actual: list[str] | None, is_met: bool
) -> None:
    """All of a request's values, or any of them; all of none hold, and none of none does."""
    keys = ["AUDIT#*", "OUTBOX"]
    statement = {**ALLOW, "Condition": {operator: {"dynamodb:LeadingKeys": keys}}}
    context = {} if actual is None else {"dynamodb:LeadingKeys": actual}

    assert _result(statement, context=context) is (PERMITTED if is_met else NEUTRAL)


def test_several_values_are_an_error_when_no_set_operator_compares_them() -> None:
    """AWS does not define what that means, so nothing is guessed."""
    statement = {**ALLOW, "Condition": {"StringLike": {"dynamodb:LeadingKeys": "AUDIT#*"}}}
    with pytest.raises(ValueError, match="set operator"):
        _result(statement, context={"dynamodb:LeadingKeys": ["AUDIT#1"]})


@pytest.mark.parametrize("operator", ["IpAddress", "ForSomeValues:StringLike"])
def test_an_unknown_operator_is_an_error_when_it_is_evaluated(operator: str) -> None:
    """A condition that cannot be judged is never silently true."""
    statement = {**ALLOW, "Condition": {operator: {"aws:SourceIp": "10.0.0.0/8"}}}
    with pytest.raises(ValueError, match=operator):
        _result(statement)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"Service": "events.amazonaws.com"}, PERMITTED),
        ({"Service": "sns.amazonaws.com"}, NEUTRAL),
        ("*", PERMITTED),
    ],
)
def test_the_principal_decides_when_the_policy_belongs_to_a_resource(
    named: Any, expected: PermissionResult
) -> None:
    """A resource's policy speaks about the callers that it names."""
    statement = {**ALLOW, "Principal": named}
    assert _result(statement, principal="events.amazonaws.com") is expected

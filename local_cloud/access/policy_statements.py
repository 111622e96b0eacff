"""Evaluation of one statement of an IAM policy for a request.

moto.iam.access_control cannot decide this: there, an unmet condition is a denial, which makes every
bucket with a "TLS only" policy unusable; only ``*`` is a wildcard; principals other than ``*`` are
not compared. Decides one statement. Must not know where policies are attached. Read next:
authorization.py.

Notes
-----
*Source*: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition
operators" and "Set operators for multivalued context keys".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from moto.iam.access_control import PermissionResult

Values = str | list[str]
# The local endpoint is plain HTTP on the loopback interface, which stands for TLS.
_ALWAYS_TRUE_HERE = {"aws:securetransport": "true"}


def evaluate(
    statement: Mapping[str, Any],
    *,
    action: str,
    resource: str,
    principal: str | None,
    context: Mapping[str, Values],
) -> PermissionResult:
    """Evaluate a statement for a request.

    Parameters
    ----------
    statement : mapping
        One statement of a policy document.
    action : str
        Such as ``s3:GetObject``.
    resource : str
        The ARN that the action is on.
    principal : str or None
        ARN or service name of the caller; None when the policy is attached to the caller.
    context : mapping of str to str or list of str
        Condition keys of the request; those that AWS defines as multivalued have a list.

    Returns
    -------
    PermissionResult
        NEUTRAL where the statement does not apply.
    """
    applies = (
        _names(statement, "Action", action, ignore_case=True)
        and _names(statement, "Resource", resource)
        and _names_principal(statement, principal)
        and _conditions_hold(statement.get("Condition") or {}, context)
    )
    if not applies:
        return PermissionResult.NEUTRAL
    is_allowed = statement["Effect"] == "Allow"
    return PermissionResult.PERMITTED if is_allowed else PermissionResult.DENIED


def _names(
    statement: Mapping[str, Any], element: str, value: str, *, ignore_case: bool = False
) -> bool:
    if f"Not{element}" in statement:
        return not _any_matches(statement[f"Not{element}"], value, ignore_case)
    # A trust policy has no resource.
    return element not in statement or _any_matches(statement[element], value, ignore_case)


def _names_principal(statement: Mapping[str, Any], principal: str | None) -> bool:
    named = statement.get("Principal")
    if named is None or named == "*" or principal is None:
        return named is None or named == "*" or _includes_everybody(named)
    values = [value for group in named.values() for value in _as_list(group)]
    # A statement that names the account leaves the decision to the caller's own policies.
    return "*" in values or principal in values


def _includes_everybody(named: Any) -> bool:
    return isinstance(named, dict) and "*" in _as_list(named.get("AWS", []))


def _any_matches(patterns: Any, value: str, ignore_case: bool) -> bool:
    return any(_matches(pattern, value, ignore_case) for pattern in _as_list(patterns))


@lru_cache(maxsize=4096)
def _matches(pattern: str, value: str, ignore_case: bool = False) -> bool:
    translated = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(translated, value, re.IGNORECASE if ignore_case else 0) is not None


def _conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, Values]) -> bool:
    known = {**{name.lower(): value for name, value in context.items()}, **_ALWAYS_TRUE_HERE}
    return all(
        _condition_holds(operator, _as_list(expected), known.get(name.lower()))
        for operator, expectations in conditions.items()
        for name, expected in expectations.items()
    )


def _condition_holds(operator: str, expected: list[Any], actual: Values | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (not actual) == (str(expected[0]).lower() == "true")
    if name.endswith("IfExists"):
        if actual is None:
            return True
        name = name.removesuffix("IfExists")
    if name not in _OPERATORS or quantifier not in _QUANTIFIERS:
        raise ValueError(f"condition operator {operator} is not evaluated locally")
    compare, is_negated = _OPERATORS[name]

    def holds(value: str) -> bool:
        return any(compare(str(each), value) for each in expected) != is_negated

    if quantifier:
        # Without any value, ForAllValues is true and ForAnyValue is false, as in IAM.
        return _QUANTIFIERS[quantifier](holds(value) for value in _as_list(actual or []))
    if isinstance(actual, list):
        raise ValueError(f"a key with several values needs a set operator, not {operator}")
    return is_negated if actual is None else holds(actual)


def _equal(expected: str, actual: str) -> bool:
    return expected == actual


def _equal_ignoring_case(expected: str, actual: str) -> bool:
    return expected.lower() == actual.lower()


_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "Bool": (_equal_ignoring_case, False),
    "StringEquals": (_equal, False),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, False),
    "StringNotEquals": (_equal, True),
    "StringLike": (_matches, False),
    "StringNotLike": (_matches, True),
    "ArnEquals": (_matches, False),
    "ArnLike": (_matches, False),
    "ArnNotEquals": (_matches, True),
    "ArnNotLike": (_matches, True),
    "NumericLessThanEquals": (lambda expected, actual: float(actual) <= float(expected), False),
}


_QUANTIFIERS: dict[str, Callable[[Iterable[bool]], bool]] = {
    "": all,
    "ForAllValues": all,
    "ForAnyValue": any,
}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

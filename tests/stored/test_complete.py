"""Nothing that the code names is missing among what was recorded.

The names are derived from the code and the template, so whoever adds a kind is sent to
`tests.stored.record`.
"""

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from application.ledger.approvals import ApprovalState
from flywheel import errors
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.batches.uploads import UploadState
from flywheel.evaluation.champions import ChampionSource, NotCarriedOutReason, PromotionMode
from infra.ledger_rights import DONE_TO_ROWS, WRITTEN_BY
from tests.infra.synthesis import FUNCTIONS
from tests.stored.samples import recorded
from tests.stored.stage import Document

_KINDS = {*recorded("rows"), "AUDIT"}


def calls(*names: str) -> Iterator[ast.Call]:
    """Give every call of functions or methods of these names."""
    for file in sorted(FUNCTIONS.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)
                if name in names:
                    yield node


def texts(node: ast.AST) -> list[str]:
    """Return the texts that an expression holds."""
    found = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return [value for value in found if isinstance(value, str)]


def test_every_kind_of_row_is_recorded_when_a_function_may_write_it() -> None:
    """By partition keys, as rights name them."""
    named = {prefix.rstrip("*").rstrip("#") for prefix in DONE_TO_ROWS}
    named |= {prefix.rstrip("*").rstrip("#") for rows in WRITTEN_BY.values() for prefix in rows}
    assert named == {kind.partition("-")[0] for kind in _KINDS}


def test_every_kind_of_row_is_recorded_when_the_code_has_a_key_for_it() -> None:
    """By sort keys too, of which a partition has several."""
    named = {
        text.partition("#")[0]
        for call in calls("Key")
        if len(call.args) == 2
        for text in texts(call.args[1])[:1]
    }
    assert named
    assert named <= {kind.rpartition("-")[2] for kind in _KINDS}


@pytest.mark.parametrize(
    "states",
    [
        ApprovalState,
        BatchOutcome,
        BatchState,
        PromotionMode,
        ChampionSource,
        NotCarriedOutReason,
        UploadState,
    ],
)
def test_every_state_is_recorded_when_a_row_may_have_it(states: type[StrEnum]) -> None:
    """Their values are stored, so none may be renamed."""
    stored = {value for rows in recorded("rows").values() for value in _values(rows)}
    assert {state.value for state in states} - stored == set()


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _values(inner)
    elif isinstance(value, str):
        yield value


def test_every_event_of_the_audit_is_recorded_when_the_code_writes_it() -> None:
    """Each with its details."""
    named = {text for call in calls("act") for text in texts(call.args[1])}
    assert "verdict" in named
    assert named == recorded("audit").keys()


def test_every_notice_has_its_id_recorded_when_the_code_makes_it() -> None:
    """By the fixed words in it."""
    ids = [
        sample["MessageAttributes"]["notice_id"]["StringValue"]
        for sample in recorded("calls")["Publish"]
    ]
    made = [call.args[2] for call in calls("act_notice")]
    made += [call.args[1] for call in calls("batch_notice")]
    made += [call.args[0] for call in calls("Notice")]
    words = {text.strip("-") for argument in made for text in texts(argument)} - {""}
    assert {"started", "withdrawn", "outside"} <= words
    assert [word for word in sorted(words) if not any(word in known for known in ids)] == []


def test_every_error_is_recorded_when_the_workflow_names_it(stack: Document) -> None:
    """An execution goes on with the names that it began with, so each class keeps its name."""
    (now,), (before,) = stack["workflow"], recorded("deployed")["workflow"]
    names = set(_named_errors(now))
    assert names == {*_named_errors(before)}
    own = {name for name in names if "." not in name}
    assert {"ServiceBusyError", "ConcurrentChangeError"} <= own
    assert all(issubclass(getattr(errors, name), errors.FlywheelLoopError) for name in own)


def _named_errors(states: Any) -> Iterator[str]:
    if isinstance(states, dict):
        yield from states.get("ErrorEquals", ())
        states = list(states.values())
    if isinstance(states, list):
        for inner in states:
            yield from _named_errors(inner)


def test_every_metric_is_written_when_an_alarm_watches_it(stack: Document) -> None:
    """With the dimensions that the alarm has."""
    written = recorded("metrics")
    for metric in stack["metrics"]:
        (sample, *_) = written[metric["Name"]]
        assert sample["Dimensions"].keys() == metric["Dimensions"].keys(), metric["Name"]
        assert sample["Dimensions"]["service"] == metric["Dimensions"]["service"]


@pytest.mark.parametrize("kind", ["outputs", "resources", "variables", "parameters"])
def test_everything_is_recorded_when_the_stack_names_it(stack: Document, kind: str) -> None:
    """Outputs, resources, variables of functions, parameters."""
    assert [each for each in stack[kind] if each not in recorded("deployed")[kind]] == []


def test_every_function_has_its_events_recorded_when_the_tree_is_read() -> None:
    """But for NotifySlack, which gets what is published."""
    folders = {path.parent.name for path in Path(FUNCTIONS).glob("*/handler.py")}
    named = {name.title().replace("_", "") for name in folders - {"notify_slack"}}
    assert named == recorded("tasks").keys()

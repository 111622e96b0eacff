import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from application.ledger.flywheels import GATHER_SK
from flywheel import errors
from flywheel.settings.environment import MAX_ITERATION_LOOKS
from tests.infra.synthesis import Synthesized

GOLDEN = Path(__file__).with_name("iteration_workflow.golden.json")
_ORDER = (
    "Gather",
    "SealBatch",
    "AwaitDatasets",
    "StartIteration",
    "AwaitIteration",
    "CompareModels",
    "CloseBatch",
)
_FUNCTION_STATES = ("SealBatch", "StartIteration", "CompareModels", "AwaitApproval", "CloseBatch")
_SERVICE_NAMES = {
    "States.ALL",
    "States.Timeout",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Comprehend.SdkClientException",
    "Comprehend.ComprehendException",
}
"""Names of Step Functions' own (*Source*: its guide, "Handling errors"), that no API declares."""

_BUSY = [
    "Comprehend.TooManyRequestsException",
    "Comprehend.InternalServerException",
    "Comprehend.SdkClientException",
    "Comprehend.ComprehendException",
]
_MOST_EVENTS = 25_000
"""Of an execution's history (*Source*: Step Functions guide, service quotas)."""

_EVENTS_OF_A_LOOK = {"Wait": 2, "Task": 5, "Choice": 2, "Pass": 2}


def caught(stack: Synthesized) -> Iterator[tuple[str, str]]:
    """Give every error that a state names in a Retry or a Catch, with the state's name."""
    for name, state in stack.states().items():
        for clause in (*state.get("Retry", ()), *state.get("Catch", ())):
            yield from ((name, error) for error in clause["ErrorEquals"])


def following(state: dict[str, Any]) -> set[str]:
    """Return the names of the states that may follow a state."""
    names = {state.get("Next"), state.get("Default")}
    for clause in (*state.get("Choices", ()), *state.get("Catch", ())):
        names.add(clause["Next"])
    return {name for name in names if name}


def test_the_flow_is_the_known_one_when_it_is_rendered(dev: Synthesized) -> None:
    """Each change of the flow is a readable diff of the golden file."""
    text = json.dumps(dev.workflow(), indent=2) + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_the_flow_is_the_same_when_the_environment_is_another(
    each: Synthesized, dev: Synthesized
) -> None:
    """Waits and deadlines come with the input, so that every environment runs what was tested."""
    assert each.workflow() == dev.workflow()


def test_every_error_exists_when_a_state_names_it(each: Synthesized) -> None:
    """A name in Retry or Catch is a class of ours that has no subclasses, or the service's own."""
    model = botocore.session.get_session().get_service_model("comprehend")
    declared = {
        f"Comprehend.{shape.name}"
        for operation in ("DescribeDataset", "DescribeFlywheelIteration")
        for shape in model.operation_model(operation).error_shapes
    }
    ours = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type)
        and issubclass(value, errors.FlywheelLoopError)
        and not value.__subclasses__()
    }
    found = list(caught(each))
    assert {"ServiceBusyError", "ConcurrentChangeError"} <= {error for _, error in found}
    for state, error in found:
        assert error in ours | declared | _SERVICE_NAMES, f"{state}: {error}"


@pytest.mark.parametrize("name", _FUNCTION_STATES)
def test_a_function_is_tried_again_when_its_trouble_passes(dev: Synthesized, name: str) -> None:
    """Patiently while others are busy, three times when it was cut off: all handlers resume."""
    attempts = {
        error: clause["MaxAttempts"]
        for clause in dev.states()[name]["Retry"]
        for error in clause["ErrorEquals"]
    }
    assert attempts["Lambda.TooManyRequestsException"] == attempts["ServiceBusyError"] == 8
    assert attempts["Lambda.Unknown"] == attempts["Sandbox.Timedout"] == 3


@pytest.mark.parametrize(
    ("look", "is_over", "is_look_left"),
    [
        ("DescribeDataset", "IsDatasetComplete", "IsDatasetLookLeft"),
        ("DescribeIteration", "IsIterationOver", "IsIterationLookLeft"),
    ],
)
def test_a_look_counts_when_the_service_is_busy(
    dev: Synthesized, look: str, is_over: str, is_look_left: str
) -> None:
    """A throttle inside the deadline is one look less, as is a look that finds nothing new."""
    states = dev.states()
    busy, *others = states[look]["Catch"]
    assert (busy["ErrorEquals"], busy["Next"]) == (_BUSY, is_look_left)
    assert busy["ResultPath"] == "$.look"
    assert states[is_over]["Default"] == is_look_left
    assert [clause["Next"] for clause in others] == (
        ["ShapeFailure"] if look == "DescribeIteration" else []
    )
    assert "Retry" not in states[look]


def test_the_looks_fit_the_history_when_they_are_as_many_as_can_be(dev: Synthesized) -> None:
    """From one wait for the iteration to the next, as often as settings allow."""
    states = dev.workflow()["States"]
    here, events = "AwaitIteration", 0
    while True:
        state = states[here]
        events += _EVENTS_OF_A_LOOK[state["Type"]]
        here = state["Default"] if state["Type"] == "Choice" else state["Next"]
        if here == "AwaitIteration":
            break
    assert events == 13
    assert MAX_ITERATION_LOOKS * events < _MOST_EVENTS


def test_one_budget_of_looks_is_shared_when_a_turn_is_waited_for(dev: Synthesized) -> None:
    """What waiting for a foreign iteration took is not there for ours."""
    states = dev.workflow()["States"]
    assert states["StartIteration"]["Parameters"]["looks_left.$"] == "$.looks.left"
    assert "looks_left.$" not in states["SealBatch"]["Parameters"]


def test_the_row_that_uploads_count_is_watched_when_they_gather(dev: Synthesized) -> None:
    """The state machine reads the row that functions write."""
    key = dev.workflow()["States"]["LookAtRegistrations"]["Parameters"]["Key"]
    assert key["sk"] == {"S": GATHER_SK}


def test_every_way_out_is_closed_when_a_state_fails(dev: Synthesized) -> None:
    """Every task but the last goes on after any error, so that no batch stays open."""
    workflow = dev.workflow()["States"]
    for name, state in workflow.items():
        if state["Type"] not in ("Task", "Map") or name == "CloseBatch":
            continue
        ways = {
            clause["Next"] for clause in state["Catch"] if clause["ErrorEquals"] == ["States.ALL"]
        }
        assert ways == {"SealBatch" if name == "LookAtRegistrations" else "ShapeFailure"}
    assert workflow["ShapeFailure"]["Next"] == "CloseBatch"


def test_both_ends_close_the_batch_when_the_flow_is_walked(dev: Synthesized) -> None:
    """From every state CloseBatch is reached, and only after it the execution ends."""
    states = dev.workflow()["States"]
    ends = {name for name, state in states.items() if state["Type"] in ("Succeed", "Fail")}
    assert ends == {"BatchJudged", "BatchFailed"}
    for name in set(states) - ends - {"IsBatchFailed"}:
        reached, todo = set[str](), [name]
        while todo:
            here = todo.pop()
            if here in reached or here == "CloseBatch":
                continue
            reached.add(here)
            todo += following(states[here])
        assert not reached & ends, name


def test_the_stages_are_in_order_when_nothing_goes_wrong(dev: Synthesized) -> None:
    """A reader finds the seven stages under their names, from the first to the last."""
    workflow = dev.workflow()
    assert workflow["StartAt"] == _ORDER[0]
    assert set(_ORDER) <= set(workflow["States"])
    for before, after in pairwise(_ORDER):
        reached, todo = set[str](), [before]
        while todo:
            here = todo.pop()
            if here not in reached:
                reached.add(here)
                todo += following(workflow["States"][here])
        assert after in reached


def test_no_function_waits_when_the_flow_does(dev: Synthesized) -> None:
    """Waiting is done by Wait states, whose seconds come with the input."""
    waits = {
        name: state["SecondsPath"]
        for name, state in dev.states().items()
        if state["Type"] == "Wait"
    }
    assert waits == {
        "Gather": "$.quiet_seconds",
        "PauseForDataset": "$.poll_seconds",
        "AwaitTurn": "$.poll_seconds",
        "AwaitIteration": "$.iteration.wait_seconds",
        "PauseForAnswers": "$.poll_seconds",
    }


def test_an_execution_can_be_followed_when_it_runs(each: Synthesized) -> None:
    """A standard workflow with logs and tracing, and an end above every deadline."""
    (machine,) = each.properties("AWS::StepFunctions::StateMachine").values()
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert each.workflow()["TimeoutSeconds"] > (24 + 72 + 72 + 168) * 3600


def test_the_token_is_in_no_log_when_an_execution_is_logged(each: Synthesized) -> None:
    """Events are logged without their data, in which the token of a question is."""
    (machine,) = each.properties("AWS::StepFunctions::StateMachine").values()
    assert not machine["LoggingConfiguration"].get("IncludeExecutionData", False)


def test_the_comparison_looks_again_when_a_person_was_asked(dev: Synthesized) -> None:
    """After an answer and after silence alike; only a failure closes the batch at once."""
    states = dev.states()
    asked = states["AwaitApproval"]
    assert asked["TimeoutSecondsPath"] == "$.verdict.approval_seconds"
    assert asked["Next"] == "CompareModels"
    ways = {clause["ErrorEquals"][0]: clause["Next"] for clause in asked["Catch"]}
    assert ways == {"States.Timeout": "CompareModels", "States.ALL": "ShapeFailure"}
    assert states["IsPersonAsked"]["Default"] == "CloseBatch"

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session

from flywheel import errors
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
        is_known = error in ours | declared or error.startswith(("States.", "Lambda."))
        assert is_known, f"{state}: {error}"


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
    }


def test_an_execution_can_be_followed_when_it_runs(each: Synthesized) -> None:
    """A standard workflow with logs and tracing, and an end above every deadline."""
    (machine,) = each.properties("AWS::StepFunctions::StateMachine").values()
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert each.workflow()["TimeoutSeconds"] > 72 * 3600

from collections.abc import Callable
from typing import Any

import pytest

from flywheel.errors import ServiceBusyError
from tests.simulation.simulator import KilledError, Simulator
from tests.simulation.state_machine import Document, StateFailedError, StateMachine, definition

_TASK = {"Type": "Task", "Resource": "${Work.Arn}", "Parameters": {"n.$": "$.n"}, "End": True}
_RETRY = {
    "ErrorEquals": ["ServiceBusyError"],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 2,
}


def _ran(states: Document, task: Callable[[Document], Any], document: Document) -> list[Any]:
    """Run states on an agenda; returns the output or error, and how many seconds it took."""
    simulator = Simulator(0)
    seen: list[Any] = []
    simulator.is_calm = True
    began = simulator.now
    machine = StateMachine(simulator, {"Work": task}, {})

    def run() -> None:
        try:
            seen.append(machine.run({"StartAt": "First", "States": states}, document))
        except StateFailedError as error:
            seen.append(error.name)
        seen.append((simulator.now - began).total_seconds())

    simulator.later(0, run)
    simulator.agenda.run(began.replace(year=began.year + 1))
    return seen


def _failing(*errors: BaseException) -> Callable[[Document], Any]:
    left = list(errors)

    def task(given: Document) -> Any:
        if left:
            raise left.pop(0)
        return {"took": given["n"]}

    return task


def test_a_task_is_tried_again_when_its_error_passes() -> None:
    """After a while that doubles."""
    busy = ServiceBusyError("any", "Throttled")
    states = {"First": {**_TASK, "Retry": [_RETRY]}}
    assert _ran(states, _failing(busy, busy), {"n": 7}) == [{"took": 7}, 2 + 4]


def test_a_catch_leads_on_when_tries_are_used_up() -> None:
    """With the error's name and cause where its path says."""
    busy = ServiceBusyError("any", "Throttled")
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Then"}
    states = {
        "First": {**_TASK, "Retry": [_RETRY], "Catch": [catch]},
        "Then": {"Type": "Pass", "Parameters": {"error.$": "$.caught.Error"}, "End": True},
    }
    ended = _ran(states, _failing(busy, busy, busy), {"n": 7})
    assert ended == [{"error": "ServiceBusyError"}, 2 + 4]


def test_a_function_that_dies_has_the_name_that_lambda_gives() -> None:
    """And nothing but a rule for that name tries it again."""
    states = {"First": {**_TASK, "Retry": [_RETRY]}}
    assert _ran(states, _failing(KilledError("any")), {"n": 7}) == ["Lambda.Unknown", 0]


def test_the_default_is_taken_when_no_choice_holds() -> None:
    """A path that points at nothing is only allowed where its presence is asked."""
    states = {
        "First": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.absent", "IsPresent": True, "Next": "Never"}],
            "Default": "Wait",
        },
        "Wait": {"Type": "Wait", "SecondsPath": "$.n", "Next": "End"},
        "End": {"Type": "Fail", "Error": "Over", "Cause": "as asked"},
    }
    assert _ran(states, _failing(), {"n": 30}) == ["Over", 30]


@pytest.mark.parametrize(("jobs", "ended"), [([{"id": "a"}], "There"), ([], "Absent")])
def test_a_place_in_a_list_is_found_when_a_path_names_it(jobs: list[Any], ended: str) -> None:
    """One that the list does not have is not present."""
    rule = {"Variable": "$.jobs[0].id", "IsPresent": True, "Next": "Found"}
    states = {
        "First": {"Type": "Choice", "Choices": [rule], "Default": "Lost"},
        "Found": {"Type": "Fail", "Error": "There", "Cause": "as asked"},
        "Lost": {"Type": "Fail", "Error": "Absent", "Cause": "as asked"},
    }
    assert _ran(states, _failing(), {"jobs": jobs}) == [ended, 0]


def test_every_kind_of_state_is_known_when_the_workflow_is_run() -> None:
    """What the interpreter does not know would be skipped in silence."""

    def kinds(machine: Document) -> set[str]:
        found = set()
        for state in machine["States"].values():
            found.add(state["Type"])
            if "ItemProcessor" in state:
                found |= kinds(state["ItemProcessor"])
        return found

    assert kinds(definition()) <= {"Wait", "Pass", "Task", "Map", "Choice", "Succeed", "Fail"}


def test_an_intrinsic_is_refused_when_it_is_not_known() -> None:
    """Rather than passed on as text."""
    states = {"First": {"Type": "Pass", "Parameters": {"n.$": "States.UUID($.a, 1)"}, "End": True}}
    with pytest.raises(NotImplementedError, match="UUID"):
        _ran(states, _failing(), {"a": 1})

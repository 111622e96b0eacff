"""Starting executions on a real client: once a batch, with the same input to the byte."""

import json
from datetime import datetime

import pytest

from adapters.clients import client
from adapters.executions import StateMachine
from application.batches.workflow import Workflow, execution_input
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from application.ledger.ledger import Ledger
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.settings.environment import ReceivedSettings
from tests.functions.cloud import Cloud, answering, seeing

KNOWN = KnownFlywheel(
    "arn:aws:comprehend:us-east-1:123456789012:flywheel/test-tickets-g1",
    ReceivedSettings.model_validate(
        {"name": "tickets", "batch": {"quiet_seconds": 60, "max_gather_minutes": 30}}
    ),
)


@pytest.fixture
def workflow(cloud: Cloud, ledger: Ledger) -> Workflow:
    """Have the state machine."""
    return Workflow(
        StateMachine(cloud.configuration.state_machine_arn, client("stepfunctions")), ledger
    )


@pytest.fixture
def batch(ledger: Ledger, now: datetime) -> BatchRow:
    """Have an open batch."""
    return ledger.batches.open(ledger.flywheels.ensure("tickets", KNOWN.arn), 7, now)


def test_the_execution_is_the_same_when_it_is_started_twice(
    cloud: Cloud, workflow: Workflow, ledger: Ledger, batch: BatchRow
) -> None:
    """Name and input come from the batch alone; the second start is no error."""
    with seeing("stepfunctions", "StartExecution") as started:
        workflow.start(KNOWN, batch)
        workflow.start(KNOWN, ledger.batches.get("tickets", 1))
    assert started[0] == started[1]
    assert started[0]["name"] == "tickets-batch-1-1"
    assert cloud.executions() == ["tickets-batch-1-1"]
    ended = answering("stepfunctions", "StartExecution", code="ExecutionAlreadyExists")
    with ended:
        workflow.start(KNOWN, batch)


def test_the_input_says_what_the_states_read_when_an_execution_starts(batch: BatchRow) -> None:
    """Waits, looks and names; no time of day, which would make a repeat another input."""
    assert json.loads(execution_input(KNOWN, KNOWN.arn, batch)) == {
        "flywheel": "tickets",
        "flywheel_arn": KNOWN.arn,
        "batch": 1,
        "attempt": 1,
        "gather": {"seen": "7", "looks_left": 29},
        "quiet_seconds": 60,
        "poll_seconds": 60,
        "looks": {"left": 24 * 60},
    }


def test_the_status_is_told_when_a_batch_is_looked_at(
    cloud: Cloud, workflow: Workflow, batch: BatchRow
) -> None:
    """None before the execution began; afterwards what the service says."""
    assert workflow.status(batch) is None
    workflow.start(KNOWN, batch)
    assert workflow.status(batch) == ("RUNNING", "", "")


def test_the_error_is_passed_on_when_the_state_machine_refuses(
    workflow: Workflow, batch: BatchRow
) -> None:
    """A missing state machine needs a person, a throttle does not."""
    gone = answering("stepfunctions", "StartExecution", code="StateMachineDoesNotExist")
    with gone, pytest.raises(ServiceRefusedError, match="StateMachineDoesNotExist"):
        workflow.start(KNOWN, batch)
    busy = answering("stepfunctions", "StartExecution", code="ThrottlingException")
    with busy, pytest.raises(ServiceBusyError):
        workflow.start(KNOWN, batch)


def test_nothing_opens_when_the_flywheel_is_not_idle_or_nothing_is_staged(
    cloud: Cloud, workflow: Workflow, ledger: Ledger, now: datetime
) -> None:
    """What is lacking is said in words."""
    opened, ready = workflow.open_when_ready(KNOWN, now)
    assert (opened, ready.lacks) == (None, ("no training documents are staged",))
    ledger.batches.open(ledger.flywheels.ensure("tickets", KNOWN.arn), 0, now)
    opened, ready = workflow.open_when_ready(KNOWN, now, is_requested=True)
    assert (opened, ready.lacks) == (None, ("batch 1 is under way",))
    assert cloud.executions() == []


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_it_is_no_error_when_a_task_waits_no_more(cloud: Cloud, code: str) -> None:
    """The answer is in the ledger, which whoever goes on reads; a refusal is an error."""
    machine = StateMachine(cloud.configuration.state_machine_arn, client("stepfunctions"))
    with answering("stepfunctions", "SendTaskSuccess", code=code):
        assert machine.answer("token", "{}") is False
    refused = answering("stepfunctions", "SendTaskSuccess", code="AccessDeniedException")
    with refused, pytest.raises(ServiceRefusedError, match="AccessDeniedException"):
        machine.answer("token", "{}")
    with answering("stepfunctions", "SendTaskSuccess", code="", status=200):
        assert machine.answer("token", "{}") is True

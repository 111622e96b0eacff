"""State machines of one state, for tests of what a single state does."""

import json
from typing import Any

from local_cloud.cloud import Cloud
from tests.local_cloud.probe_function import ROLE
from tests.local_cloud.waiting import eventually


def start_machine(
    cloud: Cloud, name: str, state: dict[str, Any], document: dict[str, Any] | None = None
) -> str:
    """Create a machine with one state, start it and return the execution's ARN."""
    done = {"Done": {"Type": "Succeed"}}
    definition = {"StartAt": "Only", "States": {"Only": {**state, "Next": "Done"}, **done}}
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )
    execution: str = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(document or {})
    )["executionArn"]
    return execution


def end_of(cloud: Cloud, execution_arn: str) -> dict[str, Any]:
    """Wait until an execution has ended and return its description."""
    states = cloud.client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution_arn)
        return None if described["status"] == "RUNNING" else described

    return eventually(ended) or {}

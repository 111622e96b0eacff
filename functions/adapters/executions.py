"""What runs elsewhere in the stack: the state machine's executions, and other functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.service_errors import error_code, translate_aws_errors
from application.configuration import FunctionConfiguration
from application.ports import OtherFunction

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_stepfunctions import SFNClient


_ALREADY_THERE = "ExecutionAlreadyExists"
_NOT_THERE = "ExecutionDoesNotExist"
_TASK_IS_OVER = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


@dataclass(frozen=True, slots=True)
class StateMachine:
    """Starts and describes executions of one state machine."""

    arn: str
    stepfunctions: "SFNClient"

    def start(self, name: str, document: str) -> None:
        """Start an execution; one of that name that was started before goes on as it is."""
        with translate_aws_errors("states:StartExecution"):
            try:
                self.stepfunctions.start_execution(
                    stateMachineArn=self.arn, name=name, input=document
                )
            except ClientError as error:
                if error_code(error) != _ALREADY_THERE:
                    raise

    def describe(self, name: str) -> tuple[str, str, str] | None:
        """Return status, error and cause of an execution; None where it never began."""
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
        with translate_aws_errors("states:DescribeExecution"):
            try:
                answer = self.stepfunctions.describe_execution(executionArn=arn)
            except ClientError as error:
                if error_code(error) == _NOT_THERE:
                    return None
                raise
        return answer["status"], answer.get("error", ""), answer.get("cause", "")

    def answer(self, token: str, document: str) -> bool:
        """Let a task that waits go on with this output; False where it does not wait any more."""
        with translate_aws_errors("states:SendTaskSuccess"):
            try:
                self.stepfunctions.send_task_success(taskToken=token, output=document)
            except ClientError as error:
                if error_code(error) not in _TASK_IS_OVER:
                    raise
                return False
        return True


@dataclass(frozen=True, slots=True)
class Invocations:
    """Invokes functions of the stack without waiting for their answer."""

    configuration: FunctionConfiguration
    client: "LambdaClient"

    def invoke(self, function: OtherFunction, event: Mapping[str, Any]) -> None:
        """Have a function run with this event, sometime soon, at least once."""
        name = self.configuration.needed(f"{function}_function")
        with translate_aws_errors("lambda:InvokeFunction"):
            self.client.invoke(
                FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
            )

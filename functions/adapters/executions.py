"""The state machine's executions: start, describe, answer a task that waits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.service_errors import error_code, translate_aws_errors

if TYPE_CHECKING:
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

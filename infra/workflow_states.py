"""Small states and retries that the iteration workflow is built of.

Decides how a wait, a look and a retry look, not in which order they come: that is
`infra.iteration_workflow`.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

_RETRIED_ERRORS = ["ServiceBusyError", "ConcurrentChangeError"]
"""Class names of functions' errors that pass by themselves (`flywheel.errors`)."""

_BUSY_FUNCTION_ERRORS = ["Lambda.TooManyRequestsException"]
_LOST_FUNCTION_ERRORS = ["Lambda.Unknown", "Sandbox.Timedout"]
"""A function that was cut off; every handler resumes from the ledger, so it may run again.

*Source*: Step Functions guide, "Handling errors"; Lambda's time-out comes under both names.
"""

_LOST_FUNCTION_ATTEMPTS = 3

BUSY_SERVICE_ERRORS = [
    "Comprehend.TooManyRequestsException",
    "Comprehend.InternalServerException",
    "Comprehend.SdkClientException",
    "Comprehend.ComprehendException",
]
"""What a look may meet that passes; the last one stands for every error without a shape."""

IDENTITY = {
    "flywheel.$": "$.flywheel",
    "batch.$": "$.batch",
    "attempt.$": "$.attempt",
}
"""What every function of the workflow is told."""


def wait(scope: Construct, name: str, seconds_path: str) -> sfn.Wait:
    """Return a state that waits for the seconds that a field names."""
    return sfn.Wait(scope, name, time=sfn.WaitTime.seconds_path(seconds_path))


def count_look(scope: Construct, name: str) -> sfn.Pass:
    """Return a state that counts one look of the deadline's budget."""
    return sfn.Pass(
        scope,
        name,
        parameters={"left.$": "States.MathAdd($.looks.left, -1)"},
        result_path="$.looks",
    )


def shaped_error(scope: Construct, name: str, *, error: str, cause: str) -> sfn.Pass:
    """Return a state that puts an error of our own where a Catch puts one."""
    return sfn.Pass(
        scope,
        name,
        result=sfn.Result.from_object({"Error": error, "Cause": cause}),
        result_path="$.caught",
    )


def person_asked(
    scope: Construct,
    compare: tasks.LambdaInvoke,
    ask_approval: lambda_.Function,
    then: sfn.IChainable,
    failed: sfn.IChainable,
) -> sfn.Choice:
    """Return the choice after a comparison: where it waits for a person, so does the workflow.

    The answer, or the end of its time, leads back to the comparison, which looks again. Silence is
    no failure: what it means is in the ledger, with the verdict.
    """
    seconds = "$.verdict.approval_seconds"
    await_approval = tasks.LambdaInvoke(
        scope,
        "AwaitApproval",
        lambda_function=ask_approval,
        integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
        payload=sfn.TaskInput.from_object({**IDENTITY, "token": sfn.JsonPath.task_token}),
        task_timeout=sfn.Timeout.at(seconds),
        result_path="$.approval",
        retry_on_service_exceptions=True,
    )
    retry_function(await_approval)
    await_approval.add_catch(compare, errors=["States.Timeout"], result_path="$.approval")
    await_approval.add_catch(failed, result_path="$.caught")
    return (
        sfn.Choice(scope, "IsPersonAsked")
        .when(sfn.Condition.is_present(seconds), await_approval.next(compare))
        .otherwise(then)
    )


def retry_function(state: tasks.LambdaInvoke) -> None:
    """Try a function again after what passes: patiently when busy, soon when it was cut off."""
    state.add_retry(errors=[*_RETRIED_ERRORS, *_BUSY_FUNCTION_ERRORS], **_patiently())
    state.add_retry(
        errors=_LOST_FUNCTION_ERRORS,
        interval=cdk.Duration.seconds(2),
        backoff_rate=2,
        max_attempts=_LOST_FUNCTION_ATTEMPTS,
    )


def _patiently() -> dict[str, Any]:
    """Return how a passing trouble is retried: for some minutes, ever more slowly."""
    return {
        "interval": cdk.Duration.seconds(2),
        "backoff_rate": 2,
        "max_attempts": 8,
        "max_delay": cdk.Duration.seconds(120),
        "jitter_strategy": sfn.JitterType.FULL,
    }


def has(path: str) -> sfn.Condition:
    """Return the condition that a field is there and not null."""
    return sfn.Condition.and_(sfn.Condition.is_present(path), sfn.Condition.is_not_null(path))

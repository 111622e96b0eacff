"""Waits, looks and retries that the iteration workflow is built of.

Decides how the workflow waits for datasets, for models' answers and for a person, and how a call is
retried; the order of the states is in `infra.iteration_workflow`. Datasets and jobs are looked at
one by one, as often as the deadline allows. A job that failed is no failure of the batch:
CompareModels decides what it means.
"""

from collections.abc import Sequence
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

_JOB_ENDED = ("COMPLETED", "FAILED", "STOPPED")

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
"""The input of every function of the workflow."""


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


def datasets_awaited(
    scope: Construct, dataset_resources: Sequence[str], failed: sfn.IChainable
) -> sfn.Map:
    """Return the state that ends when every dataset of the batch is complete.

    Parameters
    ----------
    scope : Construct
        The workflow.
    dataset_resources : sequence of str
        ARNs, with wildcards, of the datasets that may be described.
    failed : IChainable
        Where the workflow goes when a dataset fails or takes too long.
    """
    pause = wait(scope, "PauseForDataset", "$.poll_seconds")
    look = tasks.CallAwsService(
        scope,
        "DescribeDataset",
        service="comprehend",
        action="describeDataset",
        parameters={"DatasetArn.$": "$.arn"},
        iam_resources=list(dataset_resources),
        result_selector={"dataset.$": "$.DatasetProperties"},
        result_path="$.look",
    )
    too_late = sfn.Fail(
        scope,
        "DatasetDeadline",
        error="DatasetDeadlineExceeded",
        cause="A dataset was not complete before iteration_deadline_hours were over.",
    )
    is_look_left = (
        sfn.Choice(scope, "IsDatasetLookLeft")
        .when(sfn.Condition.number_less_than_equals("$.looks.left", 0), too_late)
        .otherwise(count_look(scope, "CountDatasetLook").next(pause))
    )
    # Any other error leaves the Map, which catches it.
    look.add_catch(is_look_left, errors=BUSY_SERVICE_ERRORS, result_path="$.look")
    datasets = sfn.Map(
        scope,
        "AwaitDatasets",
        items_path="$.sealed.datasets",
        item_selector={
            "arn.$": "$$.Map.Item.Value",
            "poll_seconds.$": "$.poll_seconds",
            "looks.$": "$.looks",
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    is_complete = _dataset_status(scope, is_look_left)
    datasets.item_processor(sfn.Chain.start(pause).next(look).next(is_complete))
    datasets.add_catch(failed, result_path="$.caught")
    return datasets


def _dataset_status(scope: Construct, is_look_left: sfn.IChainable) -> sfn.Choice:
    """Return the choice after a look: a dataset is complete, was refused, or is looked at again."""
    status, message = "$.look.dataset.Status", "$.look.dataset.Message"
    is_failed = sfn.Condition.string_equals(status, "FAILED")
    refused = sfn.Fail(scope, "DatasetRefused", error="DatasetFailed", cause_path=message)
    refused_silently = sfn.Fail(
        scope,
        "DatasetRefusedSilently",
        error="DatasetFailed",
        cause="Comprehend gives no reason.",
    )
    return (
        sfn.Choice(scope, "IsDatasetComplete")
        .when(
            sfn.Condition.string_equals(status, "COMPLETED"), sfn.Succeed(scope, "DatasetComplete")
        )
        .when(sfn.Condition.and_(is_failed, has(message)), refused)
        .when(is_failed, refused_silently)
        .otherwise(is_look_left)
    )


def answers_awaited(
    scope: Construct, job_resources: Sequence[str], failed: sfn.IChainable
) -> sfn.Map:
    """Return the state that ends when every job has ended, or has no looks left.

    Parameters
    ----------
    scope : Construct
        The workflow.
    job_resources : sequence of str
        ARNs, with wildcards, of the jobs that may be described.
    failed : IChainable
        Where the workflow goes when it cannot look at all.
    """
    pause = wait(scope, "PauseForAnswers", "$.poll_seconds")
    ended = sfn.Succeed(scope, "AnswersEnded")
    again = count_look(scope, "CountAnswersLook").next(pause)
    is_over = (
        sfn.Choice(scope, "AreAnswersOver")
        .when(sfn.Condition.number_less_than_equals("$.looks.left", 0), ended)
        .when(
            sfn.Condition.or_(
                *(sfn.Condition.string_equals("$.look.status", status) for status in _JOB_ENDED)
            ),
            ended,
        )
        .otherwise(again)
    )
    looks = {kind: _look_at_job(scope, kind, job_resources, is_over) for kind in _DESCRIBED}
    which = (
        sfn.Choice(scope, "IsDetection")
        .when(sfn.Condition.boolean_equals("$.is_detection", True), looks["Detection"])
        .otherwise(looks["Classification"])
    )
    answers = sfn.Map(
        scope,
        "AwaitAnswers",
        items_path="$.verdict.jobs",
        item_selector={
            "id.$": "$$.Map.Item.Value.id",
            "is_detection.$": "$$.Map.Item.Value.is_detection",
            "poll_seconds.$": "$.poll_seconds",
            "looks.$": "$.looks",
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    answers.item_processor(sfn.Chain.start(pause).next(which))
    answers.add_catch(failed, result_path="$.caught")
    return answers


_DESCRIBED = {
    "Classification": ("describeDocumentClassificationJob", "DocumentClassificationJobProperties"),
    "Detection": ("describeEntitiesDetectionJob", "EntitiesDetectionJobProperties"),
}
"""The call that describes each kind of job, and the member of its answer that has the status."""


def _look_at_job(
    scope: Construct, kind: str, resources: Sequence[str], then: sfn.IChainable
) -> sfn.Chain:
    action, properties = _DESCRIBED[kind]
    look = tasks.CallAwsService(
        scope,
        f"Describe{kind}",
        service="comprehend",
        action=action,
        parameters={"JobId.$": "$.id"},
        iam_resources=list(resources),
        result_selector={"status.$": f"$.{properties}.JobStatus"},
        result_path="$.look",
    )
    look.add_catch(
        sfn.Pass(
            scope,
            f"Describe{kind}Busy",
            result=sfn.Result.from_object({"status": "BUSY"}),
            result_path="$.look",
        ).next(then),
        errors=BUSY_SERVICE_ERRORS,
        result_path="$.look",
    )
    return look.next(then)


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
    """Return the retries of a passing error: for some minutes, at growing intervals."""
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

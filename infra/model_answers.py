"""The states that wait until models have answered the frozen test set.

Each job is looked at on its own, as often as the deadline allows. A job that failed is no failure
of the batch: CompareModels says what it means. Read next: `infra.iteration_workflow`.
"""

from collections.abc import Sequence

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflow_states import BUSY_SERVICE_ERRORS, count_look, wait

_JOB_ENDED = ("COMPLETED", "FAILED", "STOPPED")


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
    looks = {kind: _look_at_job(scope, kind, job_resources, is_over) for kind in _ASKED}
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


_ASKED = {
    "Classification": ("describeDocumentClassificationJob", "DocumentClassificationJobProperties"),
    "Detection": ("describeEntitiesDetectionJob", "EntitiesDetectionJobProperties"),
}
"""What each kind of job is asked by, and where its answer has the status."""


def _look_at_job(
    scope: Construct, kind: str, resources: Sequence[str], then: sfn.IChainable
) -> sfn.Chain:
    action, properties = _ASKED[kind]
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

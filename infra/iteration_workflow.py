"""The iteration workflow, every state in order.

Gather -> SealBatch -> AwaitDatasets -> StartIteration -> AwaitIteration -> CompareModels ->
CloseBatch. Where averages leave a rule open, AwaitAnswers waits until both models have answered the
test set. Where the policy asks a person, AwaitApproval waits for the answer or the end of its time.
After either, CompareModels checks everything again. Both ends meet in CloseBatch: a
failure is shaped by one Pass state and goes there too.
No function waits: each wait is a Wait, a look (an SDK call) and a Choice. The one exception: while
a foreign iteration occupies the flywheel, StartIteration itself is called again at each poll, since
only its answer says whether the flywheel is free. The state machine cannot subtract times, so
deadlines are counted in looks; a look that meets a busy service counts as well, and the next look
is its retry.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflow_states import (
    BUSY_SERVICE_ERRORS,
    IDENTITY,
    answers_awaited,
    count_look,
    datasets_awaited,
    has,
    person_asked,
    retry_function,
    shaped_error,
    wait,
)

_LONGEST = cdk.Duration.days(21)
"""Longer than the sum of the longest deadlines: gathering 1 day, datasets 3, a turn and the
iteration 3, a person's answer 7. What exceeds it is closed by `reconcile`.
"""


class IterationWorkflow(Construct):
    """The state machine that takes one batch from its uploads to a verdict.

    Parameters
    ----------
    seal_batch, start_iteration, compare_models, close_batch : Function
        Their construct ids are the names of the states that call them.
    ask_approval : Function
        Gets the token that a person's answer comes with.
    ledger : Table
        Watched while uploads gather.
    flywheel_resources, dataset_resources, job_resources : sequence of str
        ARNs, with wildcards, that may be described.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        seal_batch: lambda_.Function,
        start_iteration: lambda_.Function,
        compare_models: lambda_.Function,
        ask_approval: lambda_.Function,
        close_batch: lambda_.Function,
        ledger: dynamodb.Table,
        flywheel_resources: Sequence[str],
        dataset_resources: Sequence[str],
        job_resources: Sequence[str],
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._flywheel_resources = list(flywheel_resources)
        self._job_resources = list(job_resources)
        ending = self._closing(close_batch)
        self._failed = self._shaped_failure(ending)
        await_iteration = self._await_iteration(self._compare(compare_models, ask_approval, ending))
        start = self._start_iteration(start_iteration, await_iteration)
        datasets = datasets_awaited(self, dataset_resources, self._failed)
        is_empty = (
            sfn.Choice(self, "IsBatchEmpty")
            .when(sfn.Condition.boolean_equals("$.sealed.is_empty", True), ending)
            .otherwise(datasets.next(start))
        )
        seal = self._invoke(seal_batch, result_path="$.sealed").next(is_empty)
        gather = self._gather(ledger, seal)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(gather),
            state_machine_type=sfn.StateMachineType.STANDARD,
            timeout=_LONGEST,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "Logs",
                    retention=logs.RetentionDays.THREE_MONTHS,
                    removal_policy=removal_policy,
                ),
                level=sfn.LogLevel.ALL,
                # Data of an execution holds the token by which a person's answer comes.
                include_execution_data=False,
            ),
        )

    def _gather(self, ledger: dynamodb.Table, then: sfn.IChainable) -> sfn.Chain:
        """Wait until nothing was registered for a quiet time: a burst becomes one batch."""
        pause = wait(self, "Gather", "$.quiet_seconds")
        look = tasks.DynamoGetItem(
            self,
            "LookAtRegistrations",
            table=ledger,
            key={
                "pk": tasks.DynamoAttributeValue.from_string(
                    sfn.JsonPath.format("FLYWHEEL#{}", sfn.JsonPath.string_at("$.flywheel"))
                ),
                "sk": tasks.DynamoAttributeValue.from_string("GATHER"),
            },
            consistent_read=True,
            result_path="$.registrations",
        )
        again = sfn.Pass(
            self,
            "GatherMore",
            parameters={
                "seen.$": "$.registrations.Item.registrations.N",
                "looks_left.$": "States.MathAdd($.gather.looks_left, -1)",
            },
            result_path="$.gather",
        )
        count = "$.registrations.Item.registrations.N"
        choice = (
            sfn.Choice(self, "IsQuiet")
            .when(sfn.Condition.is_not_present(count), then)
            .when(sfn.Condition.string_equals_json_path(count, "$.gather.seen"), then)
            .when(sfn.Condition.number_less_than_equals("$.gather.looks_left", 0), then)
            .otherwise(again.next(pause))
        )
        # Looking only serves bursts: an error in it must not lose the batch.
        look.add_catch(then, errors=["States.ALL"], result_path="$.registrations")
        return sfn.Chain.start(pause).next(look).next(choice)

    def _start_iteration(self, function: lambda_.Function, then: sfn.IChainable) -> sfn.Chain:
        """Start the iteration; while a foreign one runs, wait for it."""
        # A turn and the iteration share one budget of looks.
        start = self._invoke(
            function, result_path="$.iteration", payload={"looks_left.$": "$.looks.left"}
        )
        turn = wait(self, "AwaitTurn", "$.poll_seconds")
        choice = (
            sfn.Choice(self, "IsStarted")
            .when(sfn.Condition.boolean_equals("$.iteration.is_started", True), then)
            .when(
                sfn.Condition.number_less_than_equals("$.looks.left", 0),
                shaped_error(
                    self,
                    "TurnDeadline",
                    error="TurnDeadlineExceeded",
                    cause="Another iteration occupied the flywheel for iteration_deadline_hours.",
                ).next(self._failed),
            )
            .otherwise(count_look(self, "CountTurnLook").next(turn).next(start))
        )
        return sfn.Chain.start(start).next(choice)

    def _await_iteration(self, then: sfn.IChainable) -> sfn.Chain:
        """Look at the iteration until it is terminal; the first look is planned from the past."""
        pause = wait(self, "AwaitIteration", "$.iteration.wait_seconds")
        look = tasks.CallAwsService(
            self,
            "DescribeIteration",
            service="comprehend",
            action="describeFlywheelIteration",
            parameters={
                "FlywheelArn.$": "$.flywheel_arn",
                "FlywheelIterationId.$": "$.iteration.iteration_id",
            },
            iam_resources=self._flywheel_resources,
            result_selector={"properties.$": "$.FlywheelIterationProperties"},
            result_path="$.look",
        )
        is_look_left = self._is_iteration_look_left(pause)
        look.add_catch(is_look_left, errors=BUSY_SERVICE_ERRORS, result_path="$.look")
        look.add_catch(self._failed, result_path="$.caught")
        status = "$.look.properties.Status"
        choice = (
            sfn.Choice(self, "IsIterationOver")
            .when(sfn.Condition.string_equals(status, "COMPLETED"), then)
            .when(
                sfn.Condition.or_(
                    sfn.Condition.string_equals(status, "FAILED"),
                    sfn.Condition.string_equals(status, "STOPPED"),
                ),
                self._iteration_failed(),
            )
            .otherwise(is_look_left)
        )
        return sfn.Chain.start(pause).next(look).next(choice)

    def _compare(
        self, function: lambda_.Function, ask_approval: lambda_.Function, then: sfn.IChainable
    ) -> sfn.Chain:
        """Compare the models; where they or a person must answer first, wait and come back."""
        compare = self._invoke(
            function,
            result_path="$.verdict",
            payload={"is_waited_for.$": "$.answers.are_waited_for"},
        )
        await_answers = answers_awaited(self, self._job_resources, self._failed)
        await_answers.next(self._answers("AnswersWaitedFor", True)).next(compare)
        choice = (
            sfn.Choice(self, "AreAnswersWanted")
            .when(has("$.verdict.jobs[0]"), await_answers)
            .otherwise(person_asked(self, compare, ask_approval, then, self._failed))
        )
        compare.next(choice)
        return sfn.Chain.start(self._answers("NoAnswersYet", False)).next(compare)

    def _answers(self, name: str, are_waited_for: bool) -> sfn.Pass:
        result = sfn.Result.from_object({"are_waited_for": are_waited_for})
        return sfn.Pass(self, name, result=result, result_path="$.answers")

    def _is_iteration_look_left(self, pause: sfn.Wait) -> sfn.Choice:
        """Count the look and wait again, unless the deadline is over."""
        again = sfn.Pass(
            self,
            "PlanNextLook",
            parameters={
                "is_started": True,
                "iteration_id.$": "$.iteration.iteration_id",
                "wait_seconds.$": "$.poll_seconds",
                "looks_left.$": "States.MathAdd($.iteration.looks_left, -1)",
            },
            result_path="$.iteration",
        )
        return (
            sfn.Choice(self, "IsIterationLookLeft")
            .when(
                sfn.Condition.number_less_than_equals("$.iteration.looks_left", 0),
                shaped_error(
                    self,
                    "IterationDeadline",
                    error="IterationDeadlineExceeded",
                    cause="The iteration still runs after iteration_deadline_hours.",
                ).next(self._failed),
            )
            .otherwise(again.next(pause))
        )

    def _iteration_failed(self) -> sfn.Choice:
        """Shape what the service says of an iteration that failed or was stopped."""
        error = "States.Format('Iteration{}', $.look.properties.Status)"
        with_reason = sfn.Pass(
            self,
            "IterationFailed",
            parameters={"Error.$": error, "Cause.$": "$.look.properties.Message"},
            result_path="$.caught",
        ).next(self._failed)
        without_reason = sfn.Pass(
            self,
            "IterationFailedSilently",
            parameters={"Error.$": error, "Cause": "Comprehend gives no reason."},
            result_path="$.caught",
        ).next(self._failed)
        return (
            sfn.Choice(self, "IsReasonGiven")
            .when(has("$.look.properties.Message"), with_reason)
            .otherwise(without_reason)
        )

    def _shaped_failure(self, then: sfn.IChainable) -> sfn.Pass:
        """Give every failure one shape, on its way to CloseBatch."""
        failure = {"error.$": "$.caught.Error", "cause.$": "$.caught.Cause"}
        shape = sfn.Pass(self, "ShapeFailure", parameters={**IDENTITY, "failure": failure})
        shape.next(then)
        return shape

    def _closing(self, close_batch: lambda_.Function) -> sfn.Chain:
        """Close the batch; an execution that had a failure ends as failed."""
        close = tasks.LambdaInvoke(
            self,
            close_batch.node.id,
            lambda_function=close_batch,
            payload=sfn.TaskInput.from_object(
                {"execution.$": "$", "state_machine_arn.$": "$$.StateMachine.Id"}
            ),
            payload_response_only=True,
            result_path="$.closed",
            retry_on_service_exceptions=True,
        )
        retry_function(close)
        choice = (
            sfn.Choice(self, "IsBatchFailed")
            .when(
                has("$.failure"),
                sfn.Fail(
                    self, "BatchFailed", error_path="$.failure.error", cause_path="$.failure.cause"
                ),
            )
            .otherwise(sfn.Succeed(self, "BatchJudged"))
        )
        return sfn.Chain.start(close).next(choice)

    def _invoke(
        self,
        function: lambda_.Function,
        *,
        result_path: str,
        payload: Mapping[str, Any] | None = None,
    ) -> tasks.LambdaInvoke:
        """Return the state of a function, named like it, with its retries and its way out."""
        state = tasks.LambdaInvoke(
            self,
            function.node.id,
            lambda_function=function,
            payload=sfn.TaskInput.from_object({**IDENTITY, **(payload or {})}),
            payload_response_only=True,
            result_path=result_path,
            retry_on_service_exceptions=True,
        )
        retry_function(state)
        state.add_catch(self._failed, result_path="$.caught")
        return state

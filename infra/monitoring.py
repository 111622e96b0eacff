"""Every alarm that people get, made in one place.

An alarm says what happened, what to do and where the runbook is (a heading of
docs/operations.md), and goes to the topic of notices. What a batch's outcome means is no alarm:
that is a notice. Decides thresholds.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.project_queue import ProjectQueue

_RUNBOOK = "docs/operations.md"
_OFTEN = cdk.Duration.minutes(5)
_QUARTER = cdk.Duration.minutes(15)
"""How often `reconcile` runs."""

_WAITING_SECONDS = 30 * 60
"""One long file occupies the function for 15 minutes; a deferred one returns after 15 more."""

_SLOTS_PERCENT = 80
_MISSED_RUNS = 3


class Monitoring(Construct):
    """The stack's alarms.

    Parameters
    ----------
    environment_name : str
    topic : Topic
        Gets every alarm; its key must let CloudWatch in.
    queues : mapping of str to ProjectQueue
        Every queue, by the beginning of its alarm's construct id.
    uploads : ProjectQueue
        The one whose messages may not wait.
    functions : sequence of Function
    state_machine : StateMachine
    flywheels : sequence of str
        Their names.
    metrics_namespace : str
        Of the functions' own metrics.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment_name: str,
        topic: sns.ITopic,
        queues: Mapping[str, ProjectQueue],
        uploads: ProjectQueue,
        functions: Sequence[lambda_.Function],
        state_machine: sfn.StateMachine,
        flywheels: Sequence[str],
        metrics_namespace: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._env = f"--env {environment_name}"
        self._action = actions.SnsAction(topic)
        self._namespace = metrics_namespace
        for name, queue in queues.items():
            self._watch_dead_letters(name, queue)
        self._watch_uploads(uploads)
        for function in functions:
            self._watch_function(function)
        self._watch_workflow(state_machine)
        for flywheel in flywheels:
            self._watch_slots(flywheel)
        self._watch_reconcile()
        self._watch_audit()

    def _watch_dead_letters(self, name: str, queue: ProjectQueue) -> None:
        self._alarm(
            f"{name}DeadLetters",
            queue.dead_letters.metric_approximate_number_of_messages_visible(
                period=_OFTEN, statistic=cloudwatch.Stats.MAXIMUM
            ),
            f"A message of the queue {name} failed every time, or could not be delivered.",
            f"See it with: flywheel dlq list {self._env}. Repair the cause, then: "
            f"flywheel dlq redrive {self._env}.",
            "Dead letters",
        )

    def _watch_uploads(self, uploads: ProjectQueue) -> None:
        self._alarm(
            "UploadsWait",
            uploads.queue.metric_approximate_age_of_oldest_message(
                period=_OFTEN, statistic=cloudwatch.Stats.MAXIMUM
            ),
            f"An upload has waited for more than {_WAITING_SECONDS // 60} minutes to be read.",
            "Look whether RegisterUpload fails; after many uploads at once, wait.",
            "Uploads wait",
            threshold=_WAITING_SECONDS,
        )

    def _watch_function(self, function: lambda_.Function) -> None:
        name = function.node.id
        self._alarm(
            f"{name}Errors",
            function.metric_errors(period=_QUARTER, statistic=cloudwatch.Stats.SUM),
            f"{name} failed in two of the last three quarters of an hour.",
            "Read its log: one failure is retried by itself, this goes on.",
            "A function fails",
            periods=3,
            least_periods=2,
        )

    def _watch_workflow(self, machine: sfn.StateMachine) -> None:
        for ending, words, metric in (
            ("Failed", "failed", machine.metric_failed),
            ("TimedOut", "timed out", machine.metric_timed_out),
            ("Aborted", "was aborted", machine.metric_aborted),
        ):
            self._alarm(
                f"Executions{ending}",
                metric(period=_OFTEN, statistic=cloudwatch.Stats.SUM),
                f"An execution of the iteration workflow {words}.",
                "Reconcile closes its batch within half an hour; see flywheel history "
                f"{self._env}, then the execution.",
                "An execution ends badly",
            )

    def _watch_slots(self, flywheel: str) -> None:
        self._alarm(
            f"DatasetSlots-{flywheel}",
            self._own_metric("dataset_slots_used_percent", cloudwatch.Stats.MAXIMUM, flywheel),
            f"{flywheel} has used {_SLOTS_PERCENT} % of the TRAIN or TEST datasets that "
            "Comprehend allows in a flywheel's life.",
            "Make batches larger and plan a new flywheel; no dataset can be deleted.",
            "Dataset slots run out",
            threshold=_SLOTS_PERCENT,
            missing=cloudwatch.TreatMissingData.IGNORE,
        )

    def _watch_reconcile(self) -> None:
        self._alarm(
            "ReconcileAbsent",
            self._own_metric("reconciled_runs", cloudwatch.Stats.SUM),
            "Reconcile has not run to its end for 45 minutes, so nothing that was left "
            "behind is repaired.",
            "Read its log and look at its schedule.",
            "Reconcile does not run",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            periods=_MISSED_RUNS,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        self._alarm(
            "EventsLost",
            self._own_metric("reconciled_uploads", cloudwatch.Stats.SUM),
            "The events of some uploads never arrived; the uploads are registered now.",
            "Nothing is lost; find out why events fail.",
            "Events were lost",
        )
        self._alarm(
            "ServiceUnready",
            self._own_metric("reconciled_unready", cloudwatch.Stats.MAXIMUM),
            "A flywheel is not ACTIVE for a quarter of an hour, or Comprehend gives its "
            "iteration an unknown status.",
            f"Look at it: flywheel status {self._env}. Nothing is promoted meanwhile.",
            "A flywheel is not ready",
            periods=2,
        )

    def _watch_audit(self) -> None:
        self._alarm(
            "AuditContradicted",
            self._own_metric("audit_contradictions", cloudwatch.Stats.SUM, service="audit"),
            "An entry of the audit is not the one that was there when its head was written: "
            "somebody changed the record.",
            f"Name it with: flywheel audit verify {self._env}. Find out whose role wrote it.",
            "The audit is contradicted",
        )

    def _own_metric(
        self,
        name: str,
        statistic: str,
        flywheel: str | None = None,
        *,
        service: str = "reconcile",
    ) -> cloudwatch.Metric:
        """Return a metric that functions write, with the dimensions that Powertools gives it."""
        dimensions = {"service": service}
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            dimensions_map=dimensions if flywheel is None else {**dimensions, "flywheel": flywheel},
            period=_QUARTER,
            statistic=statistic,
        )

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        happened: str,
        todo: str,
        heading: str,
        *,
        threshold: float = 1,
        comparison: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        periods: int = 1,
        least_periods: int | None = None,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Make an alarm: what happened, what to do, and the runbook's heading."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=f'{happened} {todo} Runbook: {_RUNBOOK}, "{heading}".',
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods,
            datapoints_to_alarm=least_periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)

"""The whole stack of one environment; reads like the picture in docs/architecture.md.

Constructs, then what each function may do, then outputs. Each statement names the API call that
needs it. Read next: `infra.iteration_workflow`.
"""

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from flywheel.settings.environment import Environment, FlywheelSettings
from infra.comprehend_flywheel import ComprehendFlywheel
from infra.comprehend_permissions import ComprehendPermissions
from infra.inbox import Inbox
from infra.iteration_workflow import IterationWorkflow
from infra.ledger import LedgerTable
from infra.loop_functions import LONG_VISIBILITY, QUICK_VISIBILITY, LoopFunctions
from infra.monitoring import Monitoring
from infra.notice_topic import NoticeTopic
from infra.private_bucket import private_bucket
from infra.project_function import ProjectFunction
from infra.project_queue import ProjectQueue
from infra.verdict_record import VerdictRecord

_SLACK_MESSAGES = 10
"""Most notices that one call sends to Slack."""

_RECONCILED_EVERY = cdk.Duration.minutes(15)

_IMPORTS = cdk.Duration.days(7)
"""How long rows on their way to Operate are kept."""


class FlywheelLoopStack(cdk.Stack):
    """Labeled files in; better models live, or not, and everybody knows why.

    Parameters
    ----------
    environment : Environment
    asset_folder : Path
        The Lambda asset.
    env : aws_cdk.Environment
        Account and region; may be left open.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        asset_folder: Path,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env, description="comprehend-flywheel-loop")
        self._environment = environment
        self._removal = (
            cdk.RemovalPolicy.RETAIN if environment.keep_data else cdk.RemovalPolicy.DESTROY
        )
        self._settings_path = f"/{construct_id}/flywheels"
        # By environment, so that alarms distinguish two environments of one account.
        self._metrics_namespace = f"FlywheelLoop/{environment.name}"

        self.inbox = Inbox(
            self, "Inbox", removal_policy=self._removal, visibility_timeout=LONG_VISIBILITY
        )
        self.staging = private_bucket(self, "Staging", removal_policy=self._removal)
        # Operate has recorded the rows, or refused them.
        self.staging.add_lifecycle_rule(
            prefix="imports/", expiration=_IMPORTS, noncurrent_version_expiration=_IMPORTS
        )
        self.lake = private_bucket(self, "Lake", removal_policy=self._removal)
        self.verdicts = VerdictRecord(
            self, "Verdicts", settings=environment.verdicts, removal_policy=self._removal
        )
        self.ledger = LedgerTable(self, "Ledger", removal_policy=self._removal)
        self.notices = NoticeTopic(
            self,
            "Notices",
            notifications=environment.notifications,
            slack_visibility_timeout=QUICK_VISIBILITY,
        )
        self.notices_due = ProjectQueue(self, "NoticesDue", visibility_timeout=LONG_VISIBILITY)
        self.flywheels = [self._flywheel(settings) for settings in environment.flywheels]
        self._comprehend = ComprehendPermissions(
            self,
            environment=environment,
            roles=[flywheel.data_access_role_arn for flywheel in self.flywheels],
        )

        self.functions = LoopFunctions(
            self,
            asset_folder=asset_folder,
            removal_policy=self._removal,
            variables=self._variables(),
            uploads=self.inbox.uploads,
            notices_due=self.notices_due,
        )
        self.workflow = self._workflow()
        self.functions.set_workflow(self.workflow.state_machine)
        self._connect()
        self._grant()
        if self.notices.slack is not None:
            self._notify_slack(self.notices.slack)
        self.monitoring = self._monitoring()
        self._outputs()

    def _flywheel(self, settings: FlywheelSettings) -> ComprehendFlywheel:
        return ComprehendFlywheel(
            self,
            f"Flywheel-{settings.name}",
            settings=settings,
            environment_name=self._environment.name,
            settings_path=self._settings_path,
            staging=self.staging,
            lake=self.lake,
            removal_policy=self._removal,
        )

    def _workflow(self) -> IterationWorkflow:
        functions = self.functions
        return IterationWorkflow(
            self,
            "IterationWorkflow",
            seal_batch=functions.seal_batch,
            start_iteration=functions.start_iteration,
            compare_models=functions.compare_models,
            ask_approval=functions.ask_approval,
            close_batch=functions.close_batch,
            ledger=self.ledger.table,
            flywheel_resources=self._comprehend.flywheels,
            dataset_resources=self._comprehend.datasets,
            job_resources=self._comprehend.jobs,
            removal_policy=self._removal,
        )

    def _monitoring(self) -> Monitoring:
        return Monitoring(
            self,
            "Monitoring",
            environment_name=self._environment.name,
            topic=self.notices.topic,
            queues=self._queues(),
            uploads=self.inbox.uploads,
            functions=[child for child in self.node.children if isinstance(child, ProjectFunction)],
            state_machine=self.workflow.state_machine,
            flywheels=[settings.name for settings in self._environment.flywheels],
            metrics_namespace=self._metrics_namespace,
        )

    def _connect(self) -> None:
        """Let events reach functions."""
        # One upload may take most of the function's time, so a call gets one.
        self.inbox.uploads.feed(self.functions.register_upload, batch_size=1, reports_items=True)
        self.notices_due.feed(self.functions.reconcile, batch_size=1)
        events.Rule(
            self,
            "ReconcileSchedule",
            schedule=events.Schedule.rate(_RECONCILED_EVERY),
            targets=[targets.LambdaFunction(self.functions.reconcile)],
        )

    def _grant(self) -> None:
        """Grant each function what it needs, and nothing else."""
        functions = self.functions
        for function in functions.all():
            self.ledger.grant_use(function)
            function.allow(["ssm:GetParametersByPath"], [self._settings_arn()])
        self._grant_objects()
        self.notices_due.queue.grant_send_messages(functions.register_upload)
        self.inbox.uploads.queue.grant_send_messages(functions.reconcile)
        for function in (
            functions.start_iteration,
            functions.compare_models,
            functions.ask_approval,
            functions.change_champion,
            functions.operate,
            functions.close_batch,
            functions.reconcile,
            functions.rebuild_flywheel,
        ):
            self.notices.topic.grant_publish(function)
        self._comprehend.grant(functions)
        self._grant_workflow()

    def _grant_objects(self) -> None:
        """Let functions read what they must and write under their prefixes; none may delete.

        Without leave to list a bucket, S3 says "access denied" of an object that is not there.
        """
        functions, inbox = self.functions, self.inbox.bucket
        functions.register_upload.allow(["s3:GetObjectVersion"], [inbox.arn_for_objects("*")])
        functions.register_upload.allow(
            ["s3:ListBucket", "s3:ListBucketVersions"], [inbox.bucket_arn]
        )
        functions.reconcile.allow(["s3:ListBucketVersions"], [inbox.bucket_arn])
        for function in (functions.compare_models, functions.close_batch):
            self.verdicts.grant_verdicts(function)
        for function in (
            functions.compare_models,
            functions.close_batch,
            functions.change_champion,
            functions.reconcile,
        ):
            self.verdicts.grant_heads(function)
        self._grant_staging()
        # What DescribeDocumentClassifier may name as a confusion matrix.
        archives = [
            self.lake.arn_for_objects(f"{settings.name}/*/output.tar.gz")
            for settings in self._environment.flywheels
        ]
        functions.compare_models.allow(["s3:GetObject"], archives)

    def _grant_staging(self) -> None:
        """Grant each function its prefixes of the staging bucket."""
        functions, staging = self.functions, self.staging
        sealed = ("uploads", "manifests", "batches", "known")
        prefixes: dict[ProjectFunction, tuple[Sequence[str], Sequence[str]]] = {
            functions.register_upload: ((), ("uploads",)),
            functions.seal_batch: (sealed, sealed),
            functions.compare_models: (
                ("known", "job-output", "answers"),
                ("test-sets", "answers"),
            ),
            functions.operate: (("uploads", "manifests", "known", "imports"), ("uploads", "known")),
            # It measures a test set anew when rows of a failed batch are counted late, or lost.
            functions.reconcile: (("known",), ()),
        }
        for function, (read, written) in prefixes.items():
            if read:
                function.allow(["s3:ListBucket"], [staging.bucket_arn])
            for action, folders in (("s3:GetObject", read), ("s3:PutObject", written)):
                if folders:
                    function.allow(
                        [action], [staging.arn_for_objects(f"{one}/*") for one in folders]
                    )

    def _grant_workflow(self) -> None:
        functions = self.functions
        machine = self.workflow.state_machine
        machine.grant_start_execution(functions.register_upload)
        machine.grant_start_execution(functions.reconcile)
        machine.grant_execution(functions.reconcile, "states:DescribeExecution")
        machine.grant_start_execution(functions.rebuild_flywheel)
        machine.grant_start_execution(functions.operate)
        for function in functions.invoked().values():
            function.grant_invoke(functions.reconcile)
        functions.answer_approval.allow(["states:SendTaskSuccess"], [machine.state_machine_arn])
        # A policy of its own: in the role's default policy it would close a circle, since the
        # state machine names this function.
        iam.Policy(
            self,
            "OpenNextBatch",
            roles=[functions.close_batch.role] if functions.close_batch.role else [],
            statements=[
                iam.PolicyStatement(
                    actions=["states:StartExecution"], resources=[machine.state_machine_arn]
                )
            ],
        )

    def _notify_slack(self, queue: ProjectQueue) -> None:
        secret = secretsmanager.Secret.from_secret_name_v2(
            self, "SlackWebhook", str(self._environment.notifications.slack_webhook_secret)
        )
        function = self.functions.make(
            "NotifySlack", SLACK_SECRET=secret.secret_name, SLACK_QUEUE=queue.queue.queue_url
        )
        secret.grant_read(function)
        queue.feed(function, batch_size=_SLACK_MESSAGES, reports_items=True)

    def _outputs(self) -> None:
        """Name what the `flywheel` command reads."""
        outputs = {
            "InboxBucket": self.inbox.bucket.bucket_name,
            "StagingBucket": self.staging.bucket_name,
            "VerdictsBucket": self.verdicts.bucket.bucket_name,
            "LedgerTable": self.ledger.table.table_name,
            "TopicArn": self.notices.topic.topic_arn,
            "StateMachineArn": self.workflow.state_machine.state_machine_arn,
            "SettingsPath": self._settings_path,
            "RebuildFunction": self.functions.rebuild_flywheel.function_name,
            "ChangeChampionFunction": self.functions.change_champion.function_name,
            "AnswerApprovalFunction": self.functions.answer_approval.function_name,
            "OperateFunction": self.functions.operate.function_name,
        }
        for name, queue in self._queues().items():
            outputs[f"{name}QueueUrl"] = queue.queue.queue_url
            outputs[f"{name}DeadLettersUrl"] = queue.dead_letters.queue_url
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _queues(self) -> dict[str, ProjectQueue]:
        queues = {"Uploads": self.inbox.uploads, "NoticesDue": self.notices_due}
        return queues if self.notices.slack is None else {**queues, "Slack": self.notices.slack}

    def _variables(self) -> dict[str, str]:
        """Return the environment variables of every function."""
        return {
            "POWERTOOLS_METRICS_NAMESPACE": self._metrics_namespace,
            "INBOX_BUCKET": self.inbox.bucket.bucket_name,
            "ENVIRONMENT": self._environment.name,
            "STAGING_BUCKET": self.staging.bucket_name,
            "VERDICTS_BUCKET": self.verdicts.bucket.bucket_name,
            "LEDGER_TABLE": self.ledger.table.table_name,
            "TOPIC_ARN": self.notices.topic.topic_arn,
            "SETTINGS_PATH": self._settings_path,
            "NOTICE_WINDOW_SECONDS": str(self._environment.notifications.notice_window_seconds),
        }

    def _settings_arn(self) -> str:
        return self.format_arn(
            service="ssm", resource="parameter", resource_name=self._settings_path.lstrip("/")
        )

"""The whole stack of one environment; reads like the picture in docs/architecture.md.

Constructs, then what each function may do, then outputs. Each statement names the API call that
needs it. Read next: `infra.iteration_workflow`.
"""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from flywheel.settings import Environment
from infra.champion_permissions import (
    grant_champion_changes,
    grant_confusion_matrices,
    grant_endpoint_listing,
)
from infra.comprehend_flywheel import ComprehendFlywheel
from infra.inbox import Inbox
from infra.iteration_workflow import IterationWorkflow
from infra.ledger import LedgerTable
from infra.monitoring import Monitoring
from infra.notice_topic import NoticeTopic
from infra.private_bucket import private_bucket
from infra.project_function import ProjectFunction
from infra.project_queue import ProjectQueue
from infra.verdict_record import VerdictRecord

_QUICK = cdk.Duration.minutes(2)
_LONG = cdk.Duration.minutes(15)
"""For the functions that read whole uploads; Lambda's most."""

_SLACK_MESSAGES = 10
"""Most notices that one call sends to Slack."""

_RECONCILED_EVERY = cdk.Duration.minutes(15)
_VISIBLE_AFTER = 6
"""Times a function's time-out, after which a message may be delivered again (Lambda guide)."""


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
        self._asset_folder = asset_folder
        self._removal = (
            cdk.RemovalPolicy.RETAIN if environment.keep_data else cdk.RemovalPolicy.DESTROY
        )
        self._settings_path = f"/{construct_id}/flywheels"
        # By environment, so that alarms tell two environments of one account apart.
        self._metrics_namespace = f"FlywheelLoop/{environment.name}"

        self.inbox = Inbox(
            self,
            "Inbox",
            removal_policy=self._removal,
            visibility_timeout=cdk.Duration.seconds(_LONG.to_seconds() * _VISIBLE_AFTER),
        )
        self.staging = private_bucket(self, "Staging", removal_policy=self._removal)
        self.lake = private_bucket(self, "Lake", removal_policy=self._removal)
        self.verdicts = VerdictRecord(
            self, "Verdicts", settings=environment.verdicts, removal_policy=self._removal
        )
        self.ledger = LedgerTable(self, "Ledger", removal_policy=self._removal)
        quick_visibility = cdk.Duration.seconds(_QUICK.to_seconds() * _VISIBLE_AFTER)
        self.notices = NoticeTopic(
            self,
            "Notices",
            notifications=environment.notifications,
            slack_visibility_timeout=quick_visibility,
        )
        self.notices_due = ProjectQueue(
            self,
            "NoticesDue",
            visibility_timeout=cdk.Duration.seconds(_LONG.to_seconds() * _VISIBLE_AFTER),
        )
        self.flywheels = [
            ComprehendFlywheel(
                self,
                f"Flywheel-{settings.name}",
                settings=settings,
                environment_name=environment.name,
                settings_path=self._settings_path,
                staging=self.staging,
                lake=self.lake,
                removal_policy=self._removal,
            )
            for settings in environment.flywheels
        ]

        self.seal_batch = self._function("SealBatch", timeout=_LONG, memory_mib=2048)
        self.start_iteration = self._function("StartIteration")
        # Resampling 100,000 answers takes a whole processor, which comes with this much memory.
        self.compare_models = self._function("CompareModels", timeout=_LONG, memory_mib=1769)
        self.ask_approval = self._function("AskApproval")
        self.close_batch = self._function("CloseBatch")
        self.workflow = IterationWorkflow(
            self,
            "IterationWorkflow",
            seal_batch=self.seal_batch,
            start_iteration=self.start_iteration,
            compare_models=self.compare_models,
            ask_approval=self.ask_approval,
            close_batch=self.close_batch,
            ledger=self.ledger.table,
            flywheel_resources=self._flywheel_arns(),
            dataset_resources=self._flywheel_arns("/dataset/*"),
            job_resources=self._job_arns(),
            removal_policy=self._removal,
        )
        self.register_upload = self._function(
            "RegisterUpload",
            timeout=_LONG,
            memory_mib=1024,
            disk_mib=6144,
            STATE_MACHINE_ARN=self.workflow.state_machine.state_machine_arn,
            NOTICES_DUE_QUEUE_URL=self.notices_due.queue.queue_url,
            UPLOADS_QUEUE_URL=self.inbox.uploads.queue.queue_url,
        )
        self.reconcile = self._function(
            "Reconcile",
            timeout=_LONG,
            UPLOADS_QUEUE_URL=self.inbox.uploads.queue.queue_url,
            STATE_MACHINE_ARN=self.workflow.state_machine.state_machine_arn,
            CLOSE_BATCH_FUNCTION=self.close_batch.function_name,
        )
        self.rebuild_flywheel = self._function(
            "RebuildFlywheel",
            timeout=_LONG,
            STATE_MACHINE_ARN=self.workflow.state_machine.state_machine_arn,
        )
        self.answer_approval = self._function(
            "AnswerApproval", STATE_MACHINE_ARN=self.workflow.state_machine.state_machine_arn
        )
        self.change_champion = self._function("ChangeChampion")
        for name, function in (
            ("REBUILD_FLYWHEEL_FUNCTION", self.rebuild_flywheel),
            ("COMPARE_MODELS_FUNCTION", self.compare_models),
            ("CHANGE_CHAMPION_FUNCTION", self.change_champion),
            ("ANSWER_APPROVAL_FUNCTION", self.answer_approval),
        ):
            self.reconcile.add_environment(name, function.function_name)
        self._connect()
        self._grant()
        if self.notices.slack is not None:
            self._notify_slack(self.notices.slack)
        self.monitoring = Monitoring(
            self,
            "Monitoring",
            environment_name=environment.name,
            topic=self.notices.topic,
            queues=self._queues(),
            uploads=self.inbox.uploads,
            functions=[child for child in self.node.children if isinstance(child, ProjectFunction)],
            state_machine=self.workflow.state_machine,
            flywheels=[settings.name for settings in environment.flywheels],
            metrics_namespace=self._metrics_namespace,
        )
        self._outputs()

    def _connect(self) -> None:
        """Let events reach functions."""
        # One upload may take most of the function's time, so a call gets one.
        self.inbox.uploads.feed(self.register_upload, batch_size=1, reports_items=True)
        self.notices_due.feed(self.reconcile, batch_size=1)
        events.Rule(
            self,
            "ReconcileSchedule",
            schedule=events.Schedule.rate(_RECONCILED_EVERY),
            targets=[targets.LambdaFunction(self.reconcile)],
        )

    def _grant(self) -> None:
        """Say what each function may do, and nothing else."""
        everyone = [
            self.register_upload,
            self.seal_batch,
            self.start_iteration,
            self.compare_models,
            self.ask_approval,
            self.answer_approval,
            self.change_champion,
            self.close_batch,
            self.reconcile,
            self.rebuild_flywheel,
        ]
        for function in everyone:
            self.ledger.grant_use(function)
            _allow(function, ["ssm:GetParametersByPath"], [self._settings_arn()])
        self._grant_objects()
        self.notices_due.queue.grant_send_messages(self.register_upload)
        self.inbox.uploads.queue.grant_send_messages(self.reconcile)
        for function in (
            self.start_iteration,
            self.compare_models,
            self.ask_approval,
            self.change_champion,
            self.close_batch,
            self.reconcile,
            self.rebuild_flywheel,
        ):
            self.notices.topic.grant_publish(function)
        self._grant_comprehend()
        self._grant_workflow()

    def _grant_objects(self) -> None:
        """Let two functions read what they must and write under their prefixes, never delete.

        Without leave to list a bucket, S3 says "access denied" of an object that is not there.
        """
        inbox, staging = self.inbox.bucket, self.staging
        _allow(self.register_upload, ["s3:GetObjectVersion"], [inbox.arn_for_objects("*")])
        _allow(self.register_upload, ["s3:ListBucket", "s3:ListBucketVersions"], [inbox.bucket_arn])
        _allow(self.register_upload, ["s3:PutObject"], [staging.arn_for_objects("uploads/*")])
        _allow(self.reconcile, ["s3:ListBucketVersions"], [inbox.bucket_arn])
        self.verdicts.grant_verdicts(self.compare_models)
        self.verdicts.grant_verdicts(self.close_batch)
        self.verdicts.grant_heads(self.reconcile)
        _allow(self.seal_batch, ["s3:ListBucket"], [staging.bucket_arn])
        _allow(
            self.seal_batch,
            ["s3:GetObject", "s3:PutObject"],
            [
                staging.arn_for_objects(f"{prefix}/*")
                for prefix in ("uploads", "manifests", "batches", "known")
            ],
        )

    def _grant_comprehend(self) -> None:
        """Let each function make the flywheel calls it makes.

        Two may change the active model: for a verdict, and for a person.
        """
        flywheels, datasets = self._flywheel_arns(), self._flywheel_arns("/dataset/*")
        calls = {
            self.register_upload: ["DescribeFlywheel"],
            self.seal_batch: ["CreateDataset", "DescribeFlywheel"],
            self.start_iteration: [
                "DescribeFlywheel",
                "ListDatasets",
                "ListFlywheelIterationHistory",
                "StartFlywheelIteration",
            ],
            self.compare_models: [
                "DescribeFlywheel",
                "DescribeFlywheelIteration",
                "ListDatasets",
                "UpdateFlywheel",
            ],
            self.ask_approval: ["DescribeFlywheel"],
            self.change_champion: ["DescribeFlywheel", "UpdateFlywheel"],
            self.close_batch: ["DescribeFlywheel", "DescribeFlywheelIteration"],
            self.reconcile: [
                "DescribeFlywheel",
                "DescribeFlywheelIteration",
                "ListFlywheelIterationHistory",
            ],
            self.rebuild_flywheel: ["CreateFlywheel", "DescribeFlywheel"],
        }
        for function, names in calls.items():
            _allow(function, [f"comprehend:{name}" for name in names], flywheels)
        for function in (
            self.seal_batch,
            self.start_iteration,
            self.close_batch,
            self.reconcile,
        ):
            _allow(function, ["comprehend:DescribeDataset"], datasets)
        self._grant_answers()
        classifiers, recognizers = (
            self.format_arn(service="comprehend", resource=kind, resource_name="*")
            for kind in ("document-classifier", "entity-recognizer")
        )
        changing = [self.compare_models, self.change_champion]
        grant_champion_changes(changing, classifiers=classifiers, recognizers=recognizers)
        grant_endpoint_listing([*changing, self.close_batch])
        self._grant_rebuild(classifiers)

    def _grant_answers(self) -> None:
        """Let one function have models answer the test set, and keep what they say."""
        jobs = self._job_arns()
        models = [
            self.format_arn(service="comprehend", resource=kind, resource_name="*")
            for kind in ("document-classifier", "entity-recognizer")
        ]
        _allow(
            self.compare_models,
            [
                "comprehend:StartDocumentClassificationJob",
                "comprehend:StartEntitiesDetectionJob",
            ],
            [*jobs, *models],
        )
        _allow(
            self.compare_models,
            [
                "comprehend:DescribeDocumentClassificationJob",
                "comprehend:DescribeEntitiesDetectionJob",
            ],
            jobs,
        )
        self._let_pass_roles(self.compare_models)
        staging = self.staging
        _allow(self.compare_models, ["s3:ListBucket"], [staging.bucket_arn])
        _allow(
            self.compare_models,
            ["s3:GetObject"],
            [
                staging.arn_for_objects(f"{prefix}/*")
                for prefix in ("known", "job-output", "answers")
            ],
        )
        _allow(
            self.compare_models,
            ["s3:PutObject"],
            [staging.arn_for_objects(f"{prefix}/*") for prefix in ("test-sets", "answers")],
        )
        grant_confusion_matrices(self.compare_models, self.lake, self._environment.flywheels)

    def _let_pass_roles(self, function: lambda_.Function) -> None:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[flywheel.data_access_role_arn for flywheel in self.flywheels],
                conditions={"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}},
            )
        )

    def _job_arns(self) -> list[str]:
        return [
            self.format_arn(service="comprehend", resource=kind, resource_name="*")
            for kind in ("document-classification-job", "entities-detection-job")
        ]

    def _grant_rebuild(self, models: str) -> None:
        """Let one function make generations and move endpoints; it cannot promote."""
        _allow(self.rebuild_flywheel, ["comprehend:CreateFlywheel"], [models])
        # ListEndpoints knows no resources.
        _allow(self.rebuild_flywheel, ["comprehend:ListEndpoints"], ["*"])
        endpoints = self.format_arn(
            service="comprehend", resource="document-classifier-endpoint", resource_name="*"
        )
        _allow(
            self.rebuild_flywheel,
            ["comprehend:UpdateEndpoint"],
            [endpoints, *self._flywheel_arns()],
        )
        self._let_pass_roles(self.rebuild_flywheel)

    def _grant_workflow(self) -> None:
        machine = self.workflow.state_machine
        machine.grant_start_execution(self.register_upload)
        machine.grant_start_execution(self.reconcile)
        machine.grant_execution(self.reconcile, "states:DescribeExecution")
        machine.grant_start_execution(self.rebuild_flywheel)
        self.close_batch.grant_invoke(self.reconcile)
        for function in (
            self.rebuild_flywheel,
            self.compare_models,
            self.change_champion,
            self.answer_approval,
        ):
            function.grant_invoke(self.reconcile)
        _allow(self.answer_approval, ["states:SendTaskSuccess"], [machine.state_machine_arn])
        # A policy of its own: in the role's default policy it would close a circle, since the
        # state machine names this function.
        iam.Policy(
            self,
            "OpenNextBatch",
            roles=[self.close_batch.role] if self.close_batch.role else [],
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
        function = self._function(
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
            "RebuildFunction": self.rebuild_flywheel.function_name,
            "ChangeChampionFunction": self.change_champion.function_name,
            "AnswerApprovalFunction": self.answer_approval.function_name,
        }
        for name, queue in self._queues().items():
            outputs[f"{name}QueueUrl"] = queue.queue.queue_url
            outputs[f"{name}DeadLettersUrl"] = queue.dead_letters.queue_url
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)

    def _queues(self) -> dict[str, ProjectQueue]:
        queues = {"Uploads": self.inbox.uploads, "NoticesDue": self.notices_due}
        return queues if self.notices.slack is None else {**queues, "Slack": self.notices.slack}

    def _function(
        self,
        construct_id: str,
        *,
        timeout: cdk.Duration = _QUICK,
        memory_mib: int = 512,
        disk_mib: int = 512,
        **variables: str,
    ) -> ProjectFunction:
        return ProjectFunction(
            self,
            construct_id,
            asset_folder=self._asset_folder,
            removal_policy=self._removal,
            timeout=timeout,
            memory_mib=memory_mib,
            disk_mib=disk_mib,
            variables={
                "POWERTOOLS_METRICS_NAMESPACE": self._metrics_namespace,
                "INBOX_BUCKET": self.inbox.bucket.bucket_name,
                "ENVIRONMENT": self._environment.name,
                "STAGING_BUCKET": self.staging.bucket_name,
                "VERDICTS_BUCKET": self.verdicts.bucket.bucket_name,
                "LEDGER_TABLE": self.ledger.table.table_name,
                "TOPIC_ARN": self.notices.topic.topic_arn,
                "SETTINGS_PATH": self._settings_path,
                "NOTICE_WINDOW_SECONDS": str(self._environment.notifications.notice_window_seconds),
                **variables,
            },
        )

    def _settings_arn(self) -> str:
        return self.format_arn(
            service="ssm", resource="parameter", resource_name=self._settings_path.lstrip("/")
        )

    def _flywheel_arns(self, below: str = "") -> list[str]:
        """Return the ARNs of this environment's flywheels, of every generation."""
        arns = [
            self.format_arn(
                service="comprehend",
                resource="flywheel",
                resource_name=f"{self._environment.name}-{settings.name}-g*",
            )
            for settings in self._environment.flywheels
        ]
        arns += [settings.adopt for settings in self._environment.flywheels if settings.adopt]
        return [f"{arn}{below}" for arn in arns]


def _allow(function: lambda_.Function, actions: list[str], resources: list[str]) -> None:
    function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))

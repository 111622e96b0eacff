"""The small CDK stack of the local cloud's tests: one of each resource type that our stack uses."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_comprehend as comprehend
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

ASSET = Path(__file__).parent / "asset"


class SmallStack(cdk.Stack):
    """Inbox, queue, function, workflow, topic, and a scheduled function."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.table = self._table()
        self.topic, notices = self._topic()
        self.judge = self._function("Judge", "handlers.judge")
        self.probe = self._function("Probe", "handlers.probe", timeout_seconds=1)
        self.start = self._function("Start", "handlers.start")
        self.machine = self._machine()
        self.inbox, self.uploads, self.dead = self._inbox()
        self._probe_schedule()
        self._flywheel()
        self._extras()
        outputs = {
            "Inbox": self.inbox.bucket_name,
            "Record": self._record().bucket_name,
            "Uploads": self.uploads.queue_url,
            "Dead": self.dead.queue_url,
            "Notices": notices.queue_url,
            "Table": self.table.table_name,
            "Machine": self.machine.attr_arn,
            "Topic": self.topic.topic_arn,
            "Probe": self.probe.function_name,
            "ProbeLogs": self.probe.log_group.log_group_name,
            "StartRole": self.start.role.role_arn if self.start.role else "",
            "Flywheel": self.flywheel.attr_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, f"{name}Output", value=value).override_logical_id(name)

    def _record(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Record",
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(cdk.Duration.days(7)),
        )

    def _table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        table.add_global_secondary_index(
            index_name="by-state",
            partition_key=dynamodb.Attribute(name="state", type=dynamodb.AttributeType.STRING),
        )
        return table

    def _topic(self) -> tuple[sns.Topic, sqs.Queue]:
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        notices = sqs.Queue(self, "Notices", encryption=sqs.QueueEncryption.SQS_MANAGED)
        topic.add_subscription(subscriptions.SqsSubscription(notices, raw_message_delivery=True))
        topic.add_subscription(subscriptions.EmailSubscription("people@example.com"))
        return topic, notices

    def _function(self, name: str, handler: str, *, timeout_seconds: int = 30) -> lambda_.Function:
        return lambda_.Function(
            self,
            name,
            code=lambda_.Code.from_asset(str(ASSET)),
            handler=handler,
            runtime=lambda_.Runtime.PYTHON_3_13,
            timeout=cdk.Duration.seconds(timeout_seconds),
            environment={"TABLE": self.table.table_name, "GREETING": "hello"},
            log_group=logs.LogGroup(self, f"{name}Logs", retention=logs.RetentionDays.ONE_DAY),
        )

    def _machine(self) -> sfn.CfnStateMachine:
        role = iam.Role(
            self, "MachineRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com")
        )
        self.judge.grant_invoke(role)
        self.table.grant_read_data(role)
        self.topic.grant_publish(role)
        definition = {
            "StartAt": "Plan",
            "States": {**self._reading_states(), **self._judging_states()},
        }
        machine = sfn.CfnStateMachine(
            self,
            "Machine",
            role_arn=role.role_arn,
            definition_string=self.to_json_string(definition),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )
        machine.node.add_dependency(role)
        self.start.add_environment("MACHINE", machine.attr_arn)
        self.start.add_to_role_policy(
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.attr_arn])
        )
        self.table.grant_write_data(self.start)
        return machine

    def _reading_states(self) -> dict[str, object]:
        return {
            "Pause": {"Type": "Wait", "SecondsPath": "$.plan.seconds", "Next": "Read"},
            "Plan": {
                "Type": "Pass",
                "Parameters": {
                    "seconds": 10,
                    "title.$": "States.Format('about {}', $.key)",
                    "at.$": "$$.Execution.StartTime",
                },
                "ResultPath": "$.plan",
                "Next": "Pause",
            },
            "Read": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem",
                "Parameters": {
                    "TableName": self.table.table_name,
                    "Key": {"id": {"S.$": "$.key"}},
                },
                "ResultPath": "$.row",
                "Next": "IsKnown",
            },
            "IsKnown": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.row.Item.deliveries.N", "IsPresent": True, "Next": "Judge"}
                ],
                "Default": "Unknown",
            },
            "Unknown": {"Type": "Fail", "Error": "UnknownKey"},
        }

    def _judging_states(self) -> dict[str, object]:
        failed = {
            "ErrorEquals": ["RefusedByHandler"],
            "Next": "TellRefused",
            "ResultPath": "$.error",
        }
        return {
            "Judge": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": self.judge.function_arn, "Payload.$": "$"},
                "ResultSelector": {"verdict.$": "$.Payload.verdict"},
                "ResultPath": "$.judged",
                "Retry": [
                    {"ErrorEquals": ["RefusedByHandler"], "IntervalSeconds": 5, "MaxAttempts": 1}
                ],
                "Catch": [failed],
                "Next": "TellAccepted",
            },
            "TellAccepted": self._tell("States.Format('{} {}', $.judged.verdict, $.key)"),
            "TellRefused": self._tell("States.Format('{} {}', $.error.Error, $.key)"),
        }

    def _tell(self, message: str) -> dict[str, object]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Parameters": {"TopicArn": self.topic.topic_arn, "Message.$": message},
            "End": True,
        }

    def _inbox(self) -> tuple[s3.Bucket, sqs.Queue, sqs.Queue]:
        bucket = s3.Bucket(
            self,
            "Inbox",
            versioned=True,
            enforce_ssl=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=cdk.Duration.days(9))],
        )
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
        dead = sqs.Queue(self, "Dead", enforce_ssl=True)
        uploads = sqs.Queue(
            self,
            "Uploads",
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(60),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=2),
        )
        events.Rule(
            self,
            "ObjectCreated",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [bucket.bucket_name]}},
            ),
            targets=[targets.SqsQueue(uploads)],
        )
        self.start.add_event_source(
            sources.SqsEventSource(uploads, report_batch_item_failures=True, batch_size=5)
        )
        return bucket, uploads, dead

    def _probe_schedule(self) -> None:
        events.Rule(
            self,
            "EveryHour",
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
            targets=[targets.LambdaFunction(self.probe)],
        )

    def _flywheel(self) -> None:
        lake = s3.Bucket(self, "Lake")
        role = iam.Role(
            self, "DataAccess", assumed_by=iam.ServicePrincipal("comprehend.amazonaws.com")
        )
        lake.grant_read_write(role)
        self.flywheel = comprehend.CfnFlywheel(
            self,
            "Flywheel",
            flywheel_name="small",
            data_access_role_arn=role.role_arn,
            data_lake_s3_uri=f"s3://{lake.bucket_name}/lake",
            model_type="DOCUMENT_CLASSIFIER",
            task_config=comprehend.CfnFlywheel.TaskConfigProperty(
                language_code="en",
                document_classification_config=comprehend.CfnFlywheel.DocumentClassificationConfigProperty(
                    mode="MULTI_CLASS", labels=["a", "b"]
                ),
            ),
        )
        self.flywheel.node.add_dependency(role)

    def _extras(self) -> None:
        ssm.StringParameter(
            self,
            "Policy",
            parameter_name="/small/policy",
            string_value="{}",
            tier=ssm.ParameterTier.ADVANCED,
        )
        cloudwatch.Alarm(
            self,
            "DeadAlarm",
            metric=self.dead.metric_approximate_number_of_messages_visible(),
            threshold=1,
            evaluation_periods=1,
        )


def synthesize(directory: Path) -> Path:
    """Write the cloud assembly of the small stack to a folder and return it."""
    app = cdk.App(outdir=str(directory), analytics_reporting=False)
    SmallStack(app, "Small")
    app.synth()
    return directory

"""One Comprehend flywheel, its data access role, and its settings for the functions.

The active model is never set here: a later deploy would undo a promotion.
"""

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_comprehend as comprehend
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from flywheel.errors import SettingsError
from flywheel.settings.environment import FlywheelSettings

_MAX_PARAMETER_BYTES = 8192
"""*Source*: Systems Manager, advanced parameters."""

_FIRST_GENERATION = 1

_MODEL_TYPES: Mapping[str, str] = {
    "classification": "DOCUMENT_CLASSIFIER",
    "entities": "ENTITY_RECOGNIZER",
}
_MODES: Mapping[str, str] = {"multi-class": "MULTI_CLASS", "multi-label": "MULTI_LABEL"}


class ComprehendFlywheel(Construct):
    """A new flywheel, or one that exists and is adopted.

    Parameters
    ----------
    settings : FlywheelSettings
    environment_name : str
    settings_path : str
        SSM path under which the functions look.
    staging, lake : Bucket
        Where its datasets lie, and where the service keeps what it makes of them.
    removal_policy : RemovalPolicy
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FlywheelSettings,
        environment_name: str,
        settings_path: str,
        staging: s3.Bucket,
        lake: s3.Bucket,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        if settings.adopt is not None:
            self.arn = settings.adopt
            self.data_access_role_arn = str(settings.data_access_role_arn)
            self._let_adopted_role_read(settings, staging)
        else:
            self.arn = self._create(settings, environment_name, staging, lake, removal_policy)
        document = {"arn": self.arn, "settings": json.loads(settings.for_functions())}
        value = cdk.Stack.of(self).to_json_string(document)
        size = len(json.dumps(document).encode())
        if size > _MAX_PARAMETER_BYTES:
            problem = (
                f"flywheels.{settings.name}: its settings take {size:,} bytes; "
                f"a parameter holds {_MAX_PARAMETER_BYTES:,}: use fewer rules"
            )
            raise SettingsError(f"{environment_name}.toml", (problem,))
        ssm.StringParameter(
            self,
            "Settings",
            # Named, since the functions find their flywheels by the path.
            parameter_name=f"{settings_path}/{settings.name}",
            string_value=value,
            tier=ssm.ParameterTier.ADVANCED,
        )

    def _create(
        self,
        settings: FlywheelSettings,
        environment_name: str,
        staging: s3.Bucket,
        lake: s3.Bucket,
        removal_policy: cdk.RemovalPolicy,
    ) -> str:
        role = self._data_access_role(settings, staging, lake)
        self.data_access_role_arn = role.role_arn
        flywheel = comprehend.CfnFlywheel(
            self,
            "Flywheel",
            # Named, since roles are limited to the environment's names.
            flywheel_name=f"{environment_name}-{settings.name}-g{_FIRST_GENERATION}",
            data_access_role_arn=role.role_arn,
            data_lake_s3_uri=f"s3://{lake.bucket_name}/{settings.name}",
            model_type=_MODEL_TYPES[settings.task or "classification"],
            task_config=_task_config(settings),
        )
        flywheel.apply_removal_policy(removal_policy)
        flywheel.node.add_dependency(role)
        return flywheel.attr_arn

    def _data_access_role(
        self, settings: FlywheelSettings, staging: s3.Bucket, lake: s3.Bucket
    ) -> iam.Role:
        """Return the role as which Comprehend reads datasets and keeps its data lake.

        Its policy is inline, so that it is there when the service first uses the role.
        """
        own_lake = f"{settings.name}/*"
        return iam.Role(
            self,
            "DataAccess",
            assumed_by=iam.ServicePrincipal(
                "comprehend.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            inline_policies={
                "Data": iam.PolicyDocument(
                    statements=[
                        *_use_of_staging(staging, settings.name),
                        _list(lake, own_lake),
                        iam.PolicyStatement(
                            actions=["s3:GetObject", "s3:PutObject"],
                            resources=[lake.arn_for_objects(own_lake)],
                        ),
                    ]
                )
            },
        )

    def _let_adopted_role_read(self, settings: FlywheelSettings, staging: s3.Bucket) -> None:
        """Let the adopted flywheel's own role read this flywheel's batches, and nothing else."""
        for statement in _use_of_staging(staging, settings.name):
            statement.add_principals(iam.ArnPrincipal(str(settings.data_access_role_arn)))
            staging.add_to_resource_policy(statement)


def _task_config(settings: FlywheelSettings) -> comprehend.CfnFlywheel.TaskConfigProperty:
    language = str(settings.language)
    if settings.task == "entities":
        types = [
            comprehend.CfnFlywheel.EntityTypesListItemProperty(type=kind)
            for kind in settings.entity_types or ()
        ]
        return comprehend.CfnFlywheel.TaskConfigProperty(
            language_code=language,
            entity_recognition_config=comprehend.CfnFlywheel.EntityRecognitionConfigProperty(
                entity_types=types
            ),
        )
    return comprehend.CfnFlywheel.TaskConfigProperty(
        language_code=language,
        document_classification_config=comprehend.CfnFlywheel.DocumentClassificationConfigProperty(
            mode=_MODES[settings.mode or "multi-class"], labels=list(settings.labels or ())
        ),
    )


def _use_of_staging(staging: s3.Bucket, flywheel: str) -> list[iam.PolicyStatement]:
    """Return what Comprehend may do there: read datasets and test sets, write jobs' output."""
    read = [f"batches/{flywheel}/*", f"test-sets/{flywheel}/*"]
    written = f"job-output/{flywheel}/*"
    return [
        _list(staging, *read, written),
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[staging.arn_for_objects(key) for key in read]
        ),
        iam.PolicyStatement(actions=["s3:PutObject"], resources=[staging.arn_for_objects(written)]),
    ]


def _list(bucket: s3.Bucket, *prefixes: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": list(prefixes)}},
    )

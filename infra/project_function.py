"""The one place that makes a Lambda function: runtime, layer, log group, tracing, limits."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

_POWERTOOLS_LAYER = (
    f"/aws/service/powertools/python/arm64/python3.13/{version('aws-lambda-powertools')}"
)
"""Public parameter with the ARN of the layer that holds the release that is installed here."""


class ProjectFunction(lambda_.Function):
    """A function of the asset: its folder is named like its construct id, in snake case.

    Parameters
    ----------
    asset_folder : Path
        The whole asset; shipped as it stands.
    variables : mapping
        Environment variables; never a secret.
    removal_policy : RemovalPolicy
        Of its log group.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        asset_folder: Path,
        variables: Mapping[str, str],
        removal_policy: cdk.RemovalPolicy,
        timeout: cdk.Duration,
        memory_mib: int = 512,
        disk_mib: int = 512,
    ) -> None:
        folder = folder_of(construct_id)
        super().__init__(
            scope,
            construct_id,
            description=f"functions/{folder}",
            code=lambda_.Code.from_asset(
                str(asset_folder), exclude=["**/__pycache__", "**/*.pyc", "*.egg-info"]
            ),
            handler=f"{folder}.handler.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            timeout=timeout,
            memory_size=memory_mib,
            ephemeral_storage_size=cdk.Size.mebibytes(disk_mib),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=logs.LogGroup(
                scope,
                f"{construct_id}Logs",
                retention=logs.RetentionDays.THREE_MONTHS,
                removal_policy=removal_policy,
            ),
            layers=[_powertools(scope, construct_id)],
            environment={
                "POWERTOOLS_SERVICE_NAME": folder,
                **variables,
            },
        )

    def allow(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        """Let it make calls on resources."""
        self.add_to_role_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources))
        )


def folder_of(construct_id: str) -> str:
    """Return the folder of a function by its construct id.

    Examples
    --------
    >>> folder_of("SealBatch")
    'seal_batch'
    """
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in construct_id).lstrip("_")


def _powertools(scope: Construct, construct_id: str) -> lambda_.ILayerVersion:
    parameter = cdk.CfnDynamicReference(cdk.CfnDynamicReferenceService.SSM, _POWERTOOLS_LAYER)
    arn = cdk.Token.as_string(parameter)
    return lambda_.LayerVersion.from_layer_version_arn(scope, f"{construct_id}Powertools", arn)

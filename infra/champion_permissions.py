"""What functions may do that change the active model, and that tell what it is worth and moves.

Which flywheel may be changed is said where the flywheel calls are granted (`infra.stack`).
"""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from flywheel.settings import FlywheelSettings


def grant_champion_changes(
    functions: Sequence[lambda_.Function], *, classifiers: str, recognizers: str
) -> None:
    """Let functions make a model active and look at it before.

    UpdateFlywheel is checked against the model that becomes active, too. How the service names a
    new flywheel's first model is not documented, so every model is covered.
    """
    for function in functions:
        for actions, resources in (
            (["comprehend:UpdateFlywheel"], [classifiers, recognizers]),
            (["comprehend:DescribeDocumentClassifier"], [classifiers]),
            (["comprehend:DescribeEntityRecognizer"], [recognizers]),
        ):
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))


def grant_endpoint_listing(functions: Sequence[lambda_.Function]) -> None:
    """Let functions list the account's endpoints; the call knows no resources."""
    for function in functions:
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["comprehend:ListEndpoints"], resources=["*"])
        )


def grant_confusion_matrices(
    function: lambda_.Function, lake: s3.Bucket, flywheels: Sequence[FlywheelSettings]
) -> None:
    """Let a function read what DescribeDocumentClassifier may name, below its flywheels' lakes."""
    archives = [lake.arn_for_objects(f"{settings.name}/*/output.tar.gz") for settings in flywheels]
    function.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=archives))

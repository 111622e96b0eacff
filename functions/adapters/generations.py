"""Make a flywheel's next generation in the service, and move endpoints to it.

Used by `rebuild_flywheel` alone. Each method is one call, or one call and the look that makes it
safe to repeat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.service_errors import error_code, translate_aws_errors
from flywheel.settings.data_format import described_labels

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

_IN_USE = "ResourceInUseException"


@dataclass(frozen=True, slots=True)
class ComprehendGenerations:
    """Calls that make generations.

    Parameters
    ----------
    client : ComprehendClient
    """

    client: "ComprehendClient"

    def definition(self, flywheel_arn: str) -> Mapping[str, Any]:
        """Return what DescribeFlywheel says, as the service says it."""
        with translate_aws_errors("comprehend:DescribeFlywheel"):
            answer = self.client.describe_flywheel(FlywheelArn=flywheel_arn)
        return answer["FlywheelProperties"]

    def create(
        self,
        name: str,
        before: Mapping[str, Any],
        lake_uri: str,
        labels: list[str] | None,
        token: str,
    ) -> str:
        """Create a flywheel like an earlier one and return its ARN; a repeat returns the same.

        It begins without a model: with one, Comprehend would copy that model's training and test
        data into the new data lake, withdrawn rows included.

        Parameters
        ----------
        name : str
        before : mapping
            The earlier flywheel (`definition`).
        lake_uri : str
        labels : list of str or None
            Another label list; with None the earlier flywheel's.
        token : str
        """
        arn: str = before["FlywheelArn"].rsplit("/", 1)[0] + f"/{name}"
        request: dict[str, Any] = {
            "FlywheelName": name,
            "DataAccessRoleArn": before["DataAccessRoleArn"],
            "DataLakeS3Uri": lake_uri,
            "ModelType": before["ModelType"],
            "TaskConfig": _task(before["TaskConfig"], labels),
            "ClientRequestToken": token,
        }
        if security := before.get("DataSecurityConfig"):
            request["DataSecurityConfig"] = security
        with translate_aws_errors("comprehend:CreateFlywheel"):
            try:
                made: str = self.client.create_flywheel(**request)["FlywheelArn"]
            except ClientError as error:
                if error_code(error) != _IN_USE or not self._is_ours(arn, request):
                    raise
                return arn
            return made

    def _is_ours(self, arn: str, request: Mapping[str, Any]) -> bool:
        """Say whether a flywheel of that name is what the request would have made."""
        existing = self.client.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
        wanted = sorted(described_labels(request["TaskConfig"]))
        labels = sorted(described_labels(existing.get("TaskConfig", {})))
        return (
            existing["DataAccessRoleArn"] == request["DataAccessRoleArn"]
            and existing["DataLakeS3Uri"].startswith(request["DataLakeS3Uri"])
            # The service names its labels only once it is ACTIVE.
            and (not labels or labels == wanted)
        )

    def move_endpoint(self, endpoint_arn: str, flywheel_arn: str) -> None:
        """Have an endpoint follow another flywheel."""
        with translate_aws_errors("comprehend:UpdateEndpoint"):
            self.client.update_endpoint(EndpointArn=endpoint_arn, FlywheelArn=flywheel_arn)


def _task(task: Mapping[str, Any], labels: list[str] | None) -> dict[str, Any]:
    """Return a task's definition, with other labels or entity types where there are some."""
    if labels is None:
        return dict(task)
    if "EntityRecognitionConfig" in task:
        types = [{"Type": label} for label in labels]
        return {**task, "EntityRecognitionConfig": {"EntityTypes": types}}
    config = {**task["DocumentClassificationConfig"], "Labels": labels}
    return {**task, "DocumentClassificationConfig": config}

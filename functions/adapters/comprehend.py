"""The Comprehend flywheel API as the functions need it.

Each method is one call, or one call and the look that makes it safe to repeat. Optional members
of the service's answers become None; nothing here judges them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.service_errors import error_code, translate_aws_errors
from application.port_values import FlywheelFacts, Iteration, ModelFacts
from flywheel.batches.batches import ANNOTATIONS_FOLDER, DOCUMENTS_FOLDER, ENTITY_LIST_FOLDER
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.settings.data_format import DataFormat, described_labels

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient
    from mypy_boto3_comprehend.literals import DatasetTypeType
    from mypy_boto3_s3 import S3Client

    from flywheel.evaluation.label_metrics import ModelLabels
    from flywheel.notices.endpoints import Endpoint

_RECOGNIZER = ":entity-recognizer/"
_IN_USE = "ResourceInUseException"
_NOT_FOUND = "ResourceNotFoundException"
_DATASET_TYPES: "Mapping[DatasetKind, DatasetTypeType]" = {
    DatasetKind.TRAIN: "TRAIN",
    DatasetKind.TEST: "TEST",
}


class Comprehend:
    """Calls of the flywheel API on one flywheel.

    Parameters
    ----------
    flywheel_arn : str
    client : ComprehendClient
    s3 : S3Client
        Reads what the service wrote of a model.
    """

    def __init__(self, flywheel_arn: str, client: "ComprehendClient", s3: "S3Client") -> None:
        self._arn = flywheel_arn
        self._client = client
        self._s3 = s3

    def describe(self) -> FlywheelFacts:
        """Return the flywheel as it is now."""
        with translate_aws_errors("comprehend:DescribeFlywheel"):
            answer = self._client.describe_flywheel(FlywheelArn=self._arn)
        properties = answer["FlywheelProperties"]
        return FlywheelFacts(
            arn=self._arn,
            status=properties.get("Status", ""),
            active_model=properties.get("ActiveModelArn"),
            task_config=properties.get("TaskConfig", {}),
        )

    def has_flywheel(self, flywheel_arn: str) -> bool:
        """Say whether a flywheel, this one or another, is there and stays."""
        with translate_aws_errors("comprehend:DescribeFlywheel"):
            try:
                answer = self._client.describe_flywheel(FlywheelArn=flywheel_arn)
            except ClientError as error:
                if error_code(error) == _NOT_FOUND:
                    return False
                raise
        return answer["FlywheelProperties"].get("Status") not in {"DELETING", "FAILED"}

    def task_config(self) -> Mapping[str, Any]:
        """Return the flywheel's task and labels, which are final.

        Raises
        ------
        ServiceBusyError
            The flywheel is not ACTIVE: only then the service names its labels.
        """
        facts = self.describe()
        if not described_labels(facts.task_config):
            raise ServiceBusyError("comprehend:DescribeFlywheel", f"flywheel is {facts.status}")
        return facts.task_config

    def create_dataset(
        self,
        name: str,
        kind: DatasetKind,
        s3_uri: str,
        *,
        shape: DataFormat,
        token: str,
        description: str,
    ) -> str:
        """Create a dataset and return its ARN; one that is there already is recognised as ours.

        Parameters
        ----------
        s3_uri : str
            The prefix that holds the dataset's files (`flywheel.batches.dataset_files`).
        shape : DataFormat
            Of its rows.
        description : str
            Names the content (the manifest's hash): how a dataset of that name is known as ours.

        Raises
        ------
        ServiceRefusedError
            E.g. ResourceLimitExceededException, or a dataset of that name with other content.
        """
        with translate_aws_errors("comprehend:CreateDataset"):
            try:
                answer = self._client.create_dataset(
                    FlywheelArn=self._arn,
                    DatasetName=name,
                    DatasetType=_DATASET_TYPES[kind],
                    Description=description,
                    InputDataConfig=_input_data(s3_uri, shape),
                    ClientRequestToken=token,
                )
            except ClientError as error:
                arn = f"{self._arn}/dataset/{name}"
                if error_code(error) == _IN_USE and self._is_ours(arn, description):
                    return arn
                raise
        return answer["DatasetArn"]

    def dataset_status(self, dataset_arn: str) -> str | None:
        """Return a dataset's status, or None where there is no such dataset."""
        with translate_aws_errors("comprehend:DescribeDataset"):
            try:
                answer = self._client.describe_dataset(DatasetArn=dataset_arn)
            except ClientError as error:
                if error_code(error) == _NOT_FOUND:
                    return None
                raise
        return answer["DatasetProperties"].get("Status", "")

    def has_dataset(self, kind: DatasetKind) -> bool:
        """Say whether the flywheel holds a usable dataset of a kind, whoever made it."""
        with translate_aws_errors("comprehend:ListDatasets"):
            answer = self._client.list_datasets(
                FlywheelArn=self._arn,
                Filter={"DatasetType": _DATASET_TYPES[kind]},
                MaxResults=500,
            )
        datasets = answer.get("DatasetPropertiesList", [])
        return any(dataset.get("Status") == "COMPLETED" for dataset in datasets)

    def dataset_completed_at(self, dataset_arn: str) -> datetime:
        """Return when a dataset was complete."""
        with translate_aws_errors("comprehend:DescribeDataset"):
            properties = self._client.describe_dataset(DatasetArn=dataset_arn)["DatasetProperties"]
        return properties.get("EndTime") or properties["CreationTime"]

    def start_iteration(self, token: str) -> str | None:
        """Start an iteration and return its id; None while another one occupies the flywheel."""
        with translate_aws_errors("comprehend:StartFlywheelIteration"):
            try:
                answer = self._client.start_flywheel_iteration(
                    FlywheelArn=self._arn, ClientRequestToken=token
                )
            except ClientError as error:
                if error_code(error) == _IN_USE:
                    return None
                raise
        return answer["FlywheelIterationId"]

    def iteration(self, iteration_id: str) -> Iteration:
        """Return one iteration."""
        with translate_aws_errors("comprehend:DescribeFlywheelIteration"):
            answer = self._client.describe_flywheel_iteration(
                FlywheelArn=self._arn, FlywheelIterationId=iteration_id
            )
        return _iteration(answer["FlywheelIterationProperties"])

    def iterations(self) -> Iterator[Iteration]:
        """Give the flywheel's iterations, in the service's order, page by page."""
        more: dict[str, str] = {}
        while True:
            with translate_aws_errors("comprehend:ListFlywheelIterationHistory"):
                answer = self._client.list_flywheel_iteration_history(
                    FlywheelArn=self._arn,
                    **more,  # type: ignore[arg-type] # only NextToken
                )
            for properties in answer.get("FlywheelIterationPropertiesList", []):
                yield _iteration(properties)
            if not (token := answer.get("NextToken")):
                return
            more = {"NextToken": token}

    def make_active(self, model_arn: str) -> None:
        """Make a model the active one. A blind write: the caller looks before and after."""
        with translate_aws_errors("comprehend:UpdateFlywheel"):
            self._client.update_flywheel(FlywheelArn=self._arn, ActiveModelArn=model_arn)

    def model(self, model_arn: str) -> ModelFacts | None:
        """Return a model's status, or None where there is no such model."""
        try:
            properties = self._described(model_arn)
        except ServiceRefusedError as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        return ModelFacts(properties.get("Status", ""), properties.get("FlywheelArn"))

    def model_labels(self, model_arn: str, average_f1: float | None) -> "ModelLabels":
        """Return what the service measured of single labels when it tested a new model.

        Parameters
        ----------
        average_f1 : float or None
            The model's in an iteration (`flywheel.evaluation.label_metrics.of_recognizer`).

        Raises
        ------
        LabelsUnknownError
            It tells nothing of them.
        ServiceRefusedError
            What tells of them may not be read.
        """
        from adapters.models import (  # noqa: PLC0415 - CompareModels alone needs it
            labels_of_classifier,
            labels_of_recognizer,
        )

        properties = self._described(model_arn)
        if _RECOGNIZER in model_arn:
            return labels_of_recognizer(properties, average_f1)
        return labels_of_classifier(properties, self._s3)

    def _described(self, model_arn: str) -> Mapping[str, Any]:
        if _RECOGNIZER in model_arn:
            with translate_aws_errors("comprehend:DescribeEntityRecognizer"):
                recognizer = self._client.describe_entity_recognizer(EntityRecognizerArn=model_arn)
            return recognizer["EntityRecognizerProperties"]
        with translate_aws_errors("comprehend:DescribeDocumentClassifier"):
            answer = self._client.describe_document_classifier(DocumentClassifierArn=model_arn)
        return answer["DocumentClassifierProperties"]

    def endpoints(self) -> "list[Endpoint]":
        """Return the account's endpoints, whatever they follow."""
        from flywheel.notices.endpoints import Endpoint  # noqa: PLC0415 - few functions need it

        with translate_aws_errors("comprehend:ListEndpoints"):
            pages = self._client.get_paginator("list_endpoints").paginate()
            return [
                Endpoint(
                    arn=endpoint["EndpointArn"],
                    status=endpoint.get("Status", ""),
                    model=endpoint.get("ModelArn"),
                    flywheel_arn=endpoint.get("FlywheelArn"),
                )
                for page in pages
                for endpoint in page["EndpointPropertiesList"]
            ]

    def model_in_training(self) -> str | None:
        """Return the model that the flywheel's iteration trains now, if one does."""
        from adapters.models import model_in_training  # noqa: PLC0415 - Operate alone needs it

        return model_in_training(self._client, self._arn)

    def stop_training(self, model_arn: str) -> None:
        """Ask for a training's stop, with which its iteration stops."""
        from adapters.models import stop_training  # noqa: PLC0415 - Operate alone needs it

        stop_training(self._client, model_arn)

    def _is_ours(self, dataset_arn: str, description: str) -> bool:
        answer = self._client.describe_dataset(DatasetArn=dataset_arn)
        return answer["DatasetProperties"].get("Description") == description


def _input_data(s3_uri: str, shape: DataFormat) -> Any:
    """Return a dataset's InputDataConfig; its folders are `flywheel.batches.dataset_files`'s."""
    if shape.task == "classification":
        source = {"S3Uri": s3_uri}
        if shape.is_multi_label:
            source["LabelDelimiter"] = shape.delimiter
        return {"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source}
    entities = {
        "Documents": {"S3Uri": f"{s3_uri}{DOCUMENTS_FOLDER}", "InputFormat": "ONE_DOC_PER_LINE"}
    }
    if shape.entities_from == "list":
        entities["EntityList"] = {"S3Uri": f"{s3_uri}{ENTITY_LIST_FOLDER}"}
    else:
        entities["Annotations"] = {"S3Uri": f"{s3_uri}{ANNOTATIONS_FOLDER}"}
    return {"DataFormat": "COMPREHEND_CSV", "EntityRecognizerInputDataConfig": entities}


def _iteration(properties: Any) -> Iteration:
    created, ended = properties.get("CreationTime"), properties.get("EndTime")
    return Iteration(
        id=properties["FlywheelIterationId"],
        status=properties.get("Status", ""),
        message=properties.get("Message", ""),
        created_at=created,
        seconds=int((ended - created).total_seconds()) if created and ended else 0,
        evaluated_model=properties.get("EvaluatedModelArn"),
        evaluated_metrics=properties.get("EvaluatedModelMetrics"),
        trained_model=properties.get("TrainedModelArn"),
        trained_metrics=properties.get("TrainedModelMetrics"),
    )

"""The dataset operations: create, describe, list.

Decides which datasets are valid and how many a flywheel may have. Knows no documents. Read next:
`comprehend_engine.lifecycles.dataset_ingestion` (what follows) and
`comprehend_engine.operations.iterations`.

Notes
-----
*Source*: botocore, CreateDataset, DescribeDataset, ListDatasets. DatasetType is optional there,
without a default; the engine uses TRAIN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comprehend_engine.clock import Clock
from comprehend_engine.documents.input_data import check_input_data
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.dataset_ingestion import DatasetIngestion
from comprehend_engine.operations.listing import created_within, multi_member_filter, page
from comprehend_engine.operations.request_checks import (
    check_flywheel_active,
    check_quota,
    record_response,
    recorded_response,
    requested_flywheel,
    requested_resource,
)
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import DatasetRecord, FlywheelRecord
from comprehend_engine.storage.resource_names import dataset_arn, dataset_uri
from comprehend_engine.storage.store import Store


@dataclass(frozen=True, slots=True)
class DatasetOperations:
    """The operations on datasets; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    ingestion: DatasetIngestion

    def create_dataset(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateDataset."""
        arn = dataset_arn(request["FlywheelArn"], request["DatasetName"])
        with self.store.transaction():
            flywheel = requested_flywheel(self.store, request)
            response = recorded_response(self.store, "CreateDataset", request, parent=flywheel.arn)
            if response is None:
                check_flywheel_active(flywheel, "CreateDataset")
                check_input_data(request["InputDataConfig"], flywheel.task)
                dataset = self._new(arn, flywheel, request)
                self._check_room(dataset)
                self.store.save(dataset)
                record_response(self.store, "CreateDataset", flywheel.arn, request, arn)
                self.ingestion.start(dataset)
        return {"DatasetArn": arn}

    def describe_dataset(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeDataset."""
        dataset = requested_resource(self.store, DatasetRecord, request["DatasetArn"])
        return {"DatasetProperties": _properties(dataset)}

    def list_datasets(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListDatasets, of one flywheel or of all."""
        if "FlywheelArn" in request:
            requested_flywheel(self.store, request)
        chosen = multi_member_filter(request)
        matching = [
            dataset
            for dataset in self.store.all(DatasetRecord, request.get("FlywheelArn"))
            if chosen.get("Status", dataset.status) == dataset.status
            and chosen.get("DatasetType", dataset.dataset_type) == dataset.dataset_type
            and created_within(chosen, dataset.creation_time)
        ]
        shown, token = page(request, matching, lambda item: (item.creation_time, item.arn))
        return {"DatasetPropertiesList": [_properties(item) for item in shown], "NextToken": token}

    def _new(self, arn: str, flywheel: FlywheelRecord, request: Mapping[str, Any]) -> DatasetRecord:
        now = self.clock.now()
        name = request["DatasetName"]
        return DatasetRecord(
            arn=arn,
            flywheel_arn=flywheel.arn,
            name=name,
            dataset_type=request.get("DatasetType", "TRAIN"),
            status="CREATING",
            source_s3_uris=(),
            input_data_config=request["InputDataConfig"],
            s3_uri=dataset_uri(flywheel.data_lake_s3_uri, name, now),
            creation_time=now,
            description=request.get("Description"),
        )

    def _check_room(self, dataset: DatasetRecord) -> None:
        quotas = self.settings.quotas
        everywhere = self.store.all(DatasetRecord)
        siblings = [item for item in everywhere if item.flywheel_arn == dataset.flywheel_arn]
        if any(item.arn == dataset.arn for item in siblings):
            message = f"The dataset name {dataset.name} is in use: {dataset.arn}."
            raise ServiceError("ResourceInUseException", message)
        limits = {
            "TRAIN": quotas.train_datasets_per_flywheel,
            "TEST": quotas.test_datasets_per_flywheel,
        }
        used = sum(item.dataset_type == dataset.dataset_type for item in siblings)
        check_quota(
            f"{dataset.dataset_type} datasets of a flywheel, in its whole life",
            used,
            limits[dataset.dataset_type],
        )
        creating = sum(item.status == "CREATING" for item in everywhere)
        check_quota("datasets being created", creating, quotas.creating_datasets)


def _properties(dataset: DatasetRecord) -> dict[str, Any]:
    return {
        "DatasetArn": dataset.arn,
        "DatasetName": dataset.name,
        "DatasetType": dataset.dataset_type,
        "DatasetS3Uri": dataset.s3_uri,
        "Description": dataset.description,
        "Status": dataset.status,
        "Message": dataset.message,
        "NumberOfDocuments": dataset.number_of_documents,
        "CreationTime": dataset.creation_time,
        "EndTime": dataset.end_time,
    }

"""A flywheel's states: CREATING -> ACTIVE or FAILED, DELETING -> gone.

Decides the steps of a creation: it writes the folders of the data lake and ingests the data of an
existing model. Knows no request. Read next: `comprehend_engine.lifecycles.dataset_ingestion`.

Notes
-----
*Source*: developer guide, "Flywheel overview": for an existing model "Comprehend copies the
training and test data"; AWS CLI examples: create-flywheel ("a data lake is created"), list-datasets
(the copy is a dataset), and the prefixes of datasets and evaluations. It is inferred that an
unwritable lake makes the flywheel FAILED, not the call: creation takes a while.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from comprehend_engine.clock import Clock
from comprehend_engine.errors import StorageAccessError
from comprehend_engine.lifecycles.background_work import BackgroundWork, failure_message
from comprehend_engine.lifecycles.dataset_ingestion import DatasetIngestion
from comprehend_engine.storage.data_lake import DataLake
from comprehend_engine.storage.records import DatasetRecord, FlywheelRecord, ModelRecord
from comprehend_engine.storage.resource_names import dataset_arn, dataset_uri
from comprehend_engine.storage.store import Store

_LAKE_FOLDERS = ("datasets/", "evaluation/")


@dataclass(frozen=True, slots=True)
class FlywheelLifecycle:
    """Creates and deletes flywheels in the background."""

    store: Store
    clock: Clock
    background: BackgroundWork
    ingestion: DatasetIngestion

    def create(self, flywheel: FlywheelRecord) -> None:
        """Create a flywheel that is recorded as CREATING."""
        self.background.run(f"create {flywheel.name}", lambda: self._create(flywheel.arn))

    def delete(self, flywheel: FlywheelRecord) -> None:
        """Delete a flywheel that is recorded as DELETING."""
        self.background.run(f"delete {flywheel.name}", lambda: self._delete(flywheel))

    def resume(self) -> None:
        """Restart creations, deletions and ingestions that a stop or a kill interrupted."""
        creating = set()
        for flywheel in self.store.all(FlywheelRecord):
            if flywheel.status == "CREATING":
                creating.add(flywheel.arn)
                self.create(flywheel)
            elif flywheel.status == "DELETING":
                self.delete(flywheel)
        for dataset in self.store.all(DatasetRecord):
            # The creation of a flywheel also ingests its inherited datasets.
            if dataset.status == "CREATING" and dataset.flywheel_arn not in creating:
                self.ingestion.start(dataset)

    def _create(self, arn: str) -> None:
        flywheel = self.store.find(FlywheelRecord, arn)
        if flywheel is None:
            return
        failures = self._lake_failures(flywheel) or self._data_failures(flywheel)
        self.background.hold(flywheel.creation_time)
        status = "FAILED" if failures else "ACTIVE"
        message = "; ".join(failures) or None
        now = self.clock.now()
        created = replace(flywheel, status=status, message=message, last_modified_time=now)
        self.store.save(created)

    def _lake_failures(self, flywheel: FlywheelRecord) -> list[str]:
        """Write the first objects of the data lake; return what failed."""
        try:
            lake = DataLake(self.ingestion.s3_client_for_role, flywheel.data_access_role_arn)
            for folder in _LAKE_FOLDERS:
                lake.write(f"{flywheel.data_lake_s3_uri}{folder}", b"")
        except StorageAccessError as refusal:
            return [f"The data lake cannot be created. {refusal}"]
        except Exception as error:  # a flywheel must not stay CREATING forever
            return [failure_message(error, f"flywheel {flywheel.arn}")]
        return []

    def _data_failures(self, flywheel: FlywheelRecord) -> list[str]:
        """Ingest the datasets of an existing model; return what failed."""
        ended = [self._ingested(dataset) for dataset in self._inherited(flywheel)]
        return [
            f"{dataset.name}: {dataset.message}"
            for dataset in ended
            if dataset is not None and dataset.status == "FAILED"
        ]

    def _ingested(self, dataset: DatasetRecord) -> DatasetRecord | None:
        self.store.save(dataset)
        self.ingestion.run(dataset.arn)
        return self.store.find(DatasetRecord, dataset.arn)

    def _inherited(self, flywheel: FlywheelRecord) -> Iterator[DatasetRecord]:
        """Give the datasets of an existing model."""
        model = self.store.find(ModelRecord, flywheel.active_model_arn or "")
        if model is None:
            return
        sources = {"TRAIN": model.train_s3_uris, "TEST": model.test_s3_uris}
        for dataset_type, uris in sources.items():
            if uris:
                name = f"Comprehend-Generated-{dataset_type}"
                yield DatasetRecord(
                    arn=dataset_arn(flywheel.arn, name),
                    flywheel_arn=flywheel.arn,
                    name=name,
                    dataset_type=dataset_type,
                    status="CREATING",
                    source_s3_uris=uris,
                    s3_uri=dataset_uri(flywheel.data_lake_s3_uri, name, flywheel.creation_time),
                    creation_time=flywheel.creation_time,
                    description=f"{dataset_type} Dataset created by Flywheel creation.",
                )

    def _delete(self, flywheel: FlywheelRecord) -> None:
        self.background.hold(flywheel.last_modified_time)
        self.store.delete_flywheel(flywheel.arn)

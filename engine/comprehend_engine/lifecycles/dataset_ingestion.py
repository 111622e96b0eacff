"""A dataset's states: CREATING -> COMPLETED or FAILED. Its documents go from S3 to the data lake.

Decides which task's rules apply and when a dataset is FAILED. Knows nothing of iterations. Read
next: `comprehend_engine.documents.classified_documents` and
`comprehend_engine.documents.annotated_documents` (the rules of a task) and
`comprehend_engine.storage.data_lake` (S3).
"""

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from comprehend_engine.clock import Clock
from comprehend_engine.documents import annotated_documents, classified_documents
from comprehend_engine.documents.annotated_documents import RecognizerDatasetBuilder
from comprehend_engine.documents.classified_documents import ClassifierDatasetBuilder, LakeFiles
from comprehend_engine.documents.input_data import RECOGNIZER
from comprehend_engine.documents.source_files import SourceFiles
from comprehend_engine.lifecycles.background_work import BackgroundWork, failure_message
from comprehend_engine.settings import Quotas
from comprehend_engine.storage.data_lake import DataLake
from comprehend_engine.storage.records import DatasetRecord, FlywheelRecord
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import ENTITIES, label_delimiter

if TYPE_CHECKING:
    from comprehend_engine.storage.data_lake import S3ClientForRole


@dataclass(frozen=True, slots=True)
class DatasetIngestion:
    """Ingests datasets in the background."""

    store: Store
    clock: Clock
    background: BackgroundWork
    quotas: Quotas
    s3_client_for_role: "S3ClientForRole"

    def start(self, dataset: DatasetRecord) -> None:
        """Start to ingest a dataset that is recorded as CREATING."""
        self.background.run(f"ingest {dataset.name}", lambda: self.run(dataset.arn))

    def run(self, dataset_arn: str) -> None:
        """Ingest a dataset and record its final state."""
        dataset = self.store.find(DatasetRecord, dataset_arn)
        flywheel = self.store.find(FlywheelRecord, dataset.flywheel_arn) if dataset else None
        if dataset is None or flywheel is None:
            return
        ended, labels = self._ended(dataset, flywheel)
        self.background.hold(dataset.creation_time)
        ended = replace(ended, end_time=self.clock.now())
        self._save(ended, labels)

    def _save(self, ended: DatasetRecord, labels: tuple[str, ...]) -> None:
        """Record a dataset's final state; the first TRAIN dataset sets labels that are missing."""
        with self.store.transaction():
            flywheel = self.store.find(FlywheelRecord, ended.flywheel_arn)
            if ended.status == "COMPLETED" and flywheel and flywheel.labels != labels:
                if flywheel.labels:
                    message = "Another dataset set the labels of the flywheel meanwhile."
                    ended = replace(ended, status="FAILED", message=message)
                else:
                    self.store.save(replace(flywheel, labels=labels))
            self.store.save(ended)

    def _ended(
        self, dataset: DatasetRecord, flywheel: FlywheelRecord
    ) -> tuple[DatasetRecord, tuple[str, ...]]:
        """Return the dataset in its final state, and the labels that it used."""
        try:
            lake = DataLake(self.s3_client_for_role, flywheel.data_access_role_arn)
            flywheel = self._with_labels(dataset, flywheel, lake)
            documents = self._copy(dataset, flywheel, lake)
        except Exception as error:  # a dataset must not stay CREATING forever
            message = failure_message(error, f"dataset {dataset.arn}")
            return replace(dataset, status="FAILED", message=message), ()
        completed = replace(dataset, status="COMPLETED", number_of_documents=documents)
        return completed, flywheel.labels

    def _with_labels(
        self, dataset: DatasetRecord, flywheel: FlywheelRecord, lake: DataLake
    ) -> FlywheelRecord:
        """Return the flywheel; one without labels gets those of its first TRAIN dataset."""
        config = dataset.input_data_config
        if flywheel.labels or config is None or dataset.dataset_type != "TRAIN":
            return flywheel
        documents = classified_documents.read_input(
            config, flywheel.task, self._source(dataset, lake)
        )
        return replace(
            flywheel, labels=classified_documents.labels_of_documents(documents, flywheel.task)
        )

    def _source(self, dataset: DatasetRecord, lake: DataLake) -> SourceFiles:
        # The quota applies to input files; a lake has one file per dataset, of any size.
        max_size_bytes = (
            self.quotas.max_file_size_bytes if dataset.input_data_config else sys.maxsize
        )
        return SourceFiles(lake, max_size_bytes, self.background.check_running)

    def _copy(self, dataset: DatasetRecord, flywheel: FlywheelRecord, lake: DataLake) -> int:
        """Copy a dataset's documents into the lake; return their number."""
        files = self._source(dataset, lake)
        build = self._annotated_files if flywheel.task == ENTITIES else self._classified_files
        built = build(dataset, flywheel, files)
        for name, content in built.files.items():
            lake.write(f"{dataset.s3_uri}{name}", content)
        return built.documents

    def _classified_files(
        self, dataset: DatasetRecord, flywheel: FlywheelRecord, files: SourceFiles
    ) -> LakeFiles:
        builder = ClassifierDatasetBuilder(
            flywheel.task,
            flywheel.labels,
            self.quotas,
            is_training=dataset.dataset_type == "TRAIN",
        )
        if dataset.input_data_config is not None:
            documents = classified_documents.read_input(
                dataset.input_data_config, flywheel.task, files
            )
        else:
            delimiter = label_delimiter(flywheel.task, flywheel.labels)
            documents = classified_documents.read_lakes(dataset.source_s3_uris, delimiter, files)
        return builder.build(documents)

    def _annotated_files(
        self, dataset: DatasetRecord, flywheel: FlywheelRecord, files: SourceFiles
    ) -> LakeFiles:
        config = dataset.input_data_config
        builder = RecognizerDatasetBuilder(
            flywheel.labels,
            self.quotas,
            is_training=dataset.dataset_type == "TRAIN",
            from_list="EntityList" in (config or {}).get(RECOGNIZER, {}),
        )
        if config is not None:
            documents = annotated_documents.read_input(config, flywheel.labels, files)
        else:
            documents = annotated_documents.read_lakes(dataset.source_s3_uris, files)
        return builder.build(documents)

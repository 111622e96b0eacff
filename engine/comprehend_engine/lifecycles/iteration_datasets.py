"""The datasets of an iteration: which train the model, which test it, and their local files.

Decides which datasets of a flywheel these are, and which objects of the data lake are downloaded:
by the names that the engine gave them, never by listing. Knows no model. Read next:
`comprehend_engine.lifecycles.iteration_run`.

Notes
-----
*Source*: developer guide, "Flywheel iterations" and "Testing the model". Whether an iteration
trains on all data of a flywheel is not documented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comprehend_engine.documents.annotated_documents import ANNOTATIONS_FILE, DOCUMENTS_FILE
from comprehend_engine.documents.classified_documents import LAKE_FILE
from comprehend_engine.errors import IterationFailedError
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.data_lake import DataLake
from comprehend_engine.storage.records import DatasetRecord, FlywheelRecord, IterationRecord
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import ENTITIES, label_delimiter
from comprehend_engine.training.worker import TaskData


@dataclass(frozen=True, slots=True)
class IterationDatasets:
    """The datasets that train and test a model.

    Parameters
    ----------
    train, test : tuple of Dataset
        The datasets that train and that test the model.
    holds_out : bool
        Whether there is no TEST dataset; then `test` has TRAIN datasets, of which a part of the
        documents is held out.
    """

    train: tuple[DatasetRecord, ...]
    test: tuple[DatasetRecord, ...]
    holds_out: bool


def choose_datasets(
    store: Store, settings: EngineSettings, flywheel: FlywheelRecord
) -> IterationDatasets:
    """Choose the datasets of an iteration.

    Raises
    ------
    IterationFailedError
        There is no training data.
    """
    completed = sorted(
        (item for item in store.all(DatasetRecord, flywheel.arn) if item.status == "COMPLETED"),
        key=lambda item: (item.creation_time, item.name),
    )
    train = all_train = tuple(item for item in completed if item.dataset_type == "TRAIN")
    test = tuple(item for item in completed if item.dataset_type == "TEST")
    if settings.training_data == "new":
        known = _trained_on(store, flywheel)
        train = tuple(item for item in all_train if item.arn not in known)
    if not train:
        which = "new " if settings.training_data == "new" else ""
        message = f"There is no training data: no {which}TRAIN dataset is COMPLETED."
        raise IterationFailedError(message)
    return IterationDatasets(train, test or all_train, holds_out=not test)


def download_datasets(
    lake: DataLake,
    datasets: Sequence[DatasetRecord],
    flywheel: FlywheelRecord,
    directory: Path,
    *,
    holds_out: bool,
) -> TaskData:
    """Download the datasets of a flywheel, each once; return their documents.

    Raises
    ------
    StorageAccessError
        The data lake cannot be read.
    """
    is_recognizer = flywheel.task == ENTITIES
    names = (DOCUMENTS_FILE, ANNOTATIONS_FILE) if is_recognizer else (LAKE_FILE,)
    files = []
    for dataset in datasets:
        place = directory / dataset.dataset_type / dataset.name
        if not place.exists():
            lake.download(dataset.s3_uri, names, place)
        files.append(place / names[0])
    delimiter = label_delimiter(flywheel.task, flywheel.labels)
    return TaskData(files, flywheel.task, delimiter, holds_out)


def _trained_on(store: Store, flywheel: FlywheelRecord) -> frozenset[str]:
    """Return the datasets on which COMPLETED iterations have trained."""
    return frozenset(
        arn
        for iteration in store.all(IterationRecord, flywheel.arn)
        if iteration.status == "COMPLETED"
        for arn in iteration.train_dataset_arns
    )

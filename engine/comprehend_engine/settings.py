"""What a user of the engine may choose: where it keeps state, who it is, how fast, how much.

Decides the defaults, nothing else. Quotas are the documented ones and are settings because
sources and accounts differ. Read next: `comprehend_engine.engine`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

TrainingData = Literal["all", "new"]
"""Which TRAIN datasets an iteration trains on."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much the engine accepts.

    Parameters
    ----------
    flywheels : int
        Flywheels an account may have.
    creating_flywheels : int
        Flywheels that may be CREATING at once.
    train_datasets_per_flywheel, test_datasets_per_flywheel : int
        Datasets of one type in a flywheel's whole life: there is no call that deletes one.
    creating_datasets : int
        Datasets that may be CREATING at once, in the account.
    active_iterations : int
        Iterations that may run at once, in the account.
    active_jobs_per_kind : int
        Classification jobs that may be active at once, and entities jobs.
    endpoints : int
        Endpoints an account may have.
    inference_units, inference_units_per_endpoint : int
        Inference units of all endpoints of the account, and of one.
    min_documents_per_label : int
        Fewest documents a label that occurs in a TRAIN dataset needs; labels without any
        document do not count.
    min_multi_label_documents : int
        Fewest documents of a TRAIN dataset of a multi-label classifier.
    min_annotations_per_type : int
        Fewest annotations an entity type that occurs in a TRAIN dataset needs.
    min_list_matches_per_type : int
        The same, where an entity list stands for annotations.
    min_entity_documents, max_entity_documents : int
        Documents of a recognizer's dataset.
    max_entity_document_bytes, max_entity_bytes : int
        Largest document of a recognizer's dataset, and all of them.
    max_documents : int
        Most documents of a classifier's dataset.
    max_file_size_bytes : int
        Largest file of a dataset, bytes.
    max_classified_text_bytes, max_detected_text_bytes : int
        Longest text of ClassifyDocument, and of DetectEntities with an endpoint, bytes.

    Notes
    -----
    *Source*: developer guide, "Guidelines and quotas", flywheels, concurrent active asynchronous
    jobs, document classification and entity recognition; "Entity lists" (200 matches). It says 10
    in prose and 50 in a table for the documents of a label; 10 is used.
    """

    flywheels: int = 50
    creating_flywheels: int = 10
    train_datasets_per_flywheel: int = 50
    test_datasets_per_flywheel: int = 10
    creating_datasets: int = 10
    active_iterations: int = 10
    active_jobs_per_kind: int = 10
    endpoints: int = 10
    inference_units: int = 100
    inference_units_per_endpoint: int = 10
    min_documents_per_label: int = 10
    min_multi_label_documents: int = 50
    min_annotations_per_type: int = 25
    min_list_matches_per_type: int = 200
    min_entity_documents: int = 3
    max_entity_documents: int = 200_000
    max_entity_document_bytes: int = 5_000
    max_entity_bytes: int = 200 * 1024 * 1024
    max_documents: int = 1_000_000
    max_file_size_bytes: int = 10 * 1024 * 1024
    max_classified_text_bytes: int = 10 * 1024
    max_detected_text_bytes: int = 5 * 1024


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One engine.

    Parameters
    ----------
    data_directory : Path
        Where state and models are kept; made when absent. One engine at a time may use it.
    account_id, region : str
        What ARNs are made of.
    port : int
        Port on the loopback interface; 0 takes a free one.
    pace_seconds : float
        Least time each passing state (CREATING, UPDATING, TRAINING ... DELETING) can be seen, s.
    quotas : Quotas
        How much is accepted.
    training_data : {"all", "new"}
        Whether an iteration trains on every COMPLETED TRAIN dataset of the flywheel, or only on
        those that no COMPLETED iteration has trained on. The service's own choice is not
        documented.
    sets_first_active_model : bool
        Whether a COMPLETED iteration makes its model active where the flywheel has none. The
        service's own choice is not documented.
    tells_model_in_training : bool
        Whether an iteration tells TrainedModelArn from its start, not only once the model is
        trained. The service's own choice is not documented.
    told_classes : int
        How many classes a multi-class model's answer tells, best first. The service's samples have
        three; what it does is not documented.
    allows_faults : bool
        Whether faults can be asked for under /_engine/faults; see `comprehend_engine.api.faults`.
    seed : int
        Seed of the trainer; same data and seed, same model and metrics.
    """

    data_directory: Path
    account_id: str = "123456789012"
    region: str = "us-east-1"
    port: int = 0
    pace_seconds: float = 0.2
    quotas: Quotas = field(default_factory=Quotas)
    training_data: TrainingData = "all"
    sets_first_active_model: bool = False
    tells_model_in_training: bool = False
    told_classes: int = 3
    allows_faults: bool = False
    seed: int = 0

    def model_file(self, model_arn: str) -> Path:
        """Return where a model is kept."""
        return self.data_directory / "models" / f"{model_arn.rsplit(':', 1)[-1]}.model"

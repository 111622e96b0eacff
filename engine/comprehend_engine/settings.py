"""The engine's settings: its data directory, account and region, its pace, its quotas.

Decides the defaults, and which settings can be changed by name. The default quotas are the
documented ones. They are settings because sources and accounts differ. Read next:
`comprehend_engine.engine`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

TrainingData = Literal["all", "new"]
"""Which TRAIN datasets an iteration trains on."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of the engine.

    Parameters
    ----------
    flywheels : int
        Most flywheels of an account.
    creating_flywheels : int
        Most flywheels that are CREATING at once.
    train_datasets_per_flywheel, test_datasets_per_flywheel : int
        Most datasets of one type in a flywheel's whole life: no call deletes a dataset.
    creating_datasets : int
        Most datasets of the account that are CREATING at once.
    active_iterations : int
        Most iterations of the account that run at once.
    active_jobs_per_kind : int
        Most classification jobs that are active at once, and most entities jobs.
    endpoints : int
        Most endpoints of an account.
    inference_units, inference_units_per_endpoint : int
        Most inference units of all endpoints of the account, and of one endpoint.
    min_documents_per_label : int
        Fewest documents per label of a TRAIN dataset; labels without any document do not count.
    min_multi_label_documents : int
        Fewest documents of a TRAIN dataset of a multi-label classifier.
    min_annotations_per_type : int
        Fewest annotations per entity type that occurs in a TRAIN dataset.
    min_list_matches_per_type : int
        The same for datasets with an entity list instead of annotations.
    min_entity_documents, max_entity_documents : int
        Fewest and most documents of a recognizer's dataset.
    max_entity_document_bytes, max_entity_bytes : int
        Largest size of a document in a recognizer's dataset, and of all its documents, bytes.
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
    in prose and 50 in a table for the documents per label; 10 is used.
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
    """The settings of one engine.

    Parameters
    ----------
    data_directory : Path
        Directory of state and models; created when absent. One engine at a time may use it.
    account_id, region : str
        Account and region in ARNs.
    port : int
        Port on the loopback interface; 0 chooses a free one.
    pace_seconds : float
        Least time that each transient state (CREATING, UPDATING, TRAINING ... DELETING) lasts, s.
    quotas : Quotas
        The quotas.
    training_data : {"all", "new"}
        Whether an iteration trains on every COMPLETED TRAIN dataset of the flywheel, or only on
        those that no COMPLETED iteration has trained on. The service's own choice is not
        documented.
    sets_first_active_model : bool
        Whether a COMPLETED iteration makes its model active where the flywheel has none. The
        service's own choice is not documented.
    shows_model_in_training : bool
        Whether an iteration has a TrainedModelArn from its start, not only once the model is
        trained. The service's own choice is not documented.
    returned_classes : int
        Most classes in the response of a multi-class model, best first. The service's samples have
        three; the number is not documented.
    allows_faults : bool
        Whether faults can be injected under /_engine/faults; see `comprehend_engine.api.faults`.
    seed : int
        Seed of the training; the same data and seed give the same model and metrics.
    """

    data_directory: Path
    account_id: str = "123456789012"
    region: str = "us-east-1"
    port: int = 0
    pace_seconds: float = 0.2
    quotas: Quotas = field(default_factory=Quotas)
    training_data: TrainingData = "all"
    sets_first_active_model: bool = False
    shows_model_in_training: bool = False
    returned_classes: int = 3
    allows_faults: bool = False
    seed: int = 0

    def model_file(self, model_arn: str) -> Path:
        """Return the file of a model."""
        return self.data_directory / "models" / f"{model_arn.rsplit(':', 1)[-1]}.model"


def with_setting(settings: EngineSettings, assignment: str) -> EngineSettings:
    """Return settings in which one setting or quota has another value.

    Parameters
    ----------
    settings : EngineSettings
    assignment : str
        Name and value, such as ``training_data=new`` or ``min_documents_per_label=50``.

    Raises
    ------
    ValueError
        The name is unknown, or the value is invalid for it; the message lists what is valid.

    Examples
    --------
    >>> from pathlib import Path
    >>> with_setting(EngineSettings(Path("state")), "endpoints=20").quotas.endpoints
    20
    """
    name, _, text = assignment.partition("=")
    if name in _QUOTAS:
        quota = _whole(name, text)
        return replace(settings, quotas=replace(settings.quotas, **{name: quota}))
    if name in _SWITCHES:
        return replace(settings, **{name: _SWITCHES[name](name, text)})
    message = f"{name!r} is unknown; these exist: {', '.join((*_SWITCHES, *_QUOTAS))}"
    raise ValueError(message)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        message = f"{name} takes a whole number from 0, not {text!r}"
        raise ValueError(message)
    return int(text)


def _one_of(allowed: Mapping[str, Any]) -> Callable[[str, str], Any]:
    def chosen(name: str, text: str) -> Any:
        if text not in allowed:
            message = f"{name} takes {' or '.join(allowed)}, not {text!r}"
            raise ValueError(message)
        return allowed[text]

    return chosen


_FLAGS = {"yes": True, "no": False}
_QUOTAS = tuple(field.name for field in fields(Quotas))
_SWITCHES: Mapping[str, Callable[[str, str], Any]] = {
    "training_data": _one_of({name: name for name in get_args(TrainingData)}),
    "sets_first_active_model": _one_of(_FLAGS),
    "shows_model_in_training": _one_of(_FLAGS),
    "returned_classes": _whole,
    "seed": _whole,
}

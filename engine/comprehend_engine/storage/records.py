"""The engine's records: one frozen record per resource.

Decides which facts are stored. The names of the fields are in the database, too. Knows neither HTTP
nor SQL. A record's `key` identifies it among its kind; `flywheel_arn` names the flywheel that it is
deleted with, and is empty for a record that outlives every flywheel. Read next:
`comprehend_engine.storage.store`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comprehend_engine.storage.resource_names import iteration_key
from comprehend_engine.tasks import MULTI_CLASS

ACTIVE_ITERATION_STATES = frozenset({"TRAINING", "EVALUATING", "STOP_REQUESTED"})
"""The states in which an iteration occupies its flywheel."""


class _KeyedByArn:
    __slots__ = ()
    arn: str

    @property
    def key(self) -> str:
        """Its key in the store."""
        return self.arn


class _OutlivesFlywheels(_KeyedByArn):
    __slots__ = ()

    @property
    def flywheel_arn(self) -> str:
        """Empty: it outlives the flywheel that it uses."""
        return ""


@dataclass(frozen=True, slots=True)
class FlywheelRecord(_KeyedByArn):
    """A flywheel; `labels` are final, `data_lake_s3_uri` is the full form with the suffix.

    For an entity recognizer, `labels` are its entity types.
    """

    arn: str
    name: str
    status: str
    data_access_role_arn: str
    data_lake_s3_uri: str
    language_code: str
    labels: tuple[str, ...]
    creation_time: float
    last_modified_time: float
    active_model_arn: str | None = None
    data_security_config: Mapping[str, Any] | None = None
    latest_iteration_id: str | None = None
    message: str | None = None
    task: str = MULTI_CLASS

    @property
    def flywheel_arn(self) -> str:
        """Its own ARN."""
        return self.arn


@dataclass(frozen=True, slots=True)
class DatasetRecord(_KeyedByArn):
    """A dataset; `s3_uri` is its place in the lake.

    `input_data_config` names its documents. A dataset without one comes from other lakes, and
    `source_s3_uris` are the prefixes of its sources there.
    """

    arn: str
    flywheel_arn: str
    name: str
    dataset_type: str
    status: str
    source_s3_uris: tuple[str, ...]
    s3_uri: str
    creation_time: float
    description: str | None = None
    message: str | None = None
    number_of_documents: int | None = None
    input_data_config: Mapping[str, Any] | None = None
    end_time: float | None = None


@dataclass(frozen=True, slots=True)
class IterationRecord:
    """An iteration; the evaluated model is the one that was active when it started."""

    flywheel_arn: str
    iteration_id: str
    status: str
    creation_time: float
    model_arn: str
    evaluation_s3_uri: str
    evaluated_model_arn: str | None = None
    evaluated_metrics: Mapping[str, float] | None = None
    is_trained: bool = False
    trained_metrics: Mapping[str, float] | None = None
    train_dataset_arns: tuple[str, ...] = ()
    message: str | None = None
    end_time: float | None = None
    stop_requested_time: float | None = None

    @property
    def key(self) -> str:
        """Its key in the store."""
        return iteration_key(self.flywheel_arn, self.iteration_id)

    @property
    def is_active(self) -> bool:
        """Whether it occupies its flywheel."""
        return self.status in ACTIVE_ITERATION_STATES


@dataclass(frozen=True, slots=True)
class ModelRecord(_KeyedByArn):
    """A version of a classifier or recognizer; it outlives the flywheel that made it.

    Its metrics are between 0 and 1. Only recognizers have `label_metrics` and `train_mentions`, by
    type.
    """

    arn: str
    flywheel_arn: str
    status: str
    language_code: str
    labels: tuple[str, ...]
    data_access_role_arn: str
    submit_time: float
    statistics_s3_uri: str
    data_security_config: Mapping[str, Any] | None = None
    train_s3_uris: tuple[str, ...] = ()
    test_s3_uris: tuple[str, ...] = ()
    trained_documents: int | None = None
    test_documents: int | None = None
    metrics: Mapping[str, float] | None = None
    label_metrics: Mapping[str, Mapping[str, float]] | None = None
    train_mentions: Mapping[str, int] | None = None
    training_start_time: float | None = None
    training_end_time: float | None = None
    end_time: float | None = None
    message: str | None = None
    task: str = MULTI_CLASS


@dataclass(frozen=True, slots=True)
class EndpointRecord(_OutlivesFlywheels):
    """An endpoint; the desired values apply once it is IN_SERVICE."""

    arn: str
    name: str
    status: str
    model_arn: str
    desired_model_arn: str
    desired_inference_units: int
    creation_time: float
    last_modified_time: float
    inference_units: int | None = None
    followed_flywheel_arn: str | None = None
    data_access_role_arn: str | None = None
    desired_data_access_role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class TagsRecord(_KeyedByArn):
    """The tags of a resource; `flywheel_arn` is that of the resource's record, or empty."""

    arn: str
    flywheel_arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JobRecord(_OutlivesFlywheels):
    """An analysis job; `output_s3_uri` is the archive that it writes.

    `kind` is "CLN" for classification and "NER" for entities, as in the archive's name; `request`
    has the members that DescribeDocumentClassificationJob and its like return unchanged.
    """

    job_id: str
    arn: str
    kind: str
    status: str
    model_arn: str
    output_s3_uri: str
    request: Mapping[str, Any]
    submit_time: float
    stop_requested_time: float | None = None
    end_time: float | None = None
    message: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it uses its model."""
        return self.status in ("SUBMITTED", "IN_PROGRESS", "STOP_REQUESTED")

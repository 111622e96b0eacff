"""The values that ports take and give: rows and their conditional writes, and services' answers.

Optional members of an answer are None; nothing here judges them. Read next: `application.ports`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flywheel.batches.uploads import ObjectVersion

RUNNING_STATUSES = frozenset({"TRAINING", "EVALUATING", "STOP_REQUESTED"})
"""Statuses of an iteration that will change; any other, unknown ones too, is terminal."""

_RUNNING_JOBS = frozenset({"SUBMITTED", "IN_PROGRESS", "STOP_REQUESTED"})
_DETECTION = ":entities-detection-job/"


@dataclass(frozen=True, slots=True)
class FlywheelFacts:
    """What DescribeFlywheel says."""

    arn: str
    status: str
    active_model: str | None
    task_config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Iteration:
    """What DescribeFlywheelIteration says.

    Parameters
    ----------
    seconds : int
        From creation to end; 0 while it runs.
    """

    id: str
    status: str
    message: str
    created_at: datetime
    seconds: int
    evaluated_model: str | None
    evaluated_metrics: Mapping[str, float] | None
    trained_model: str | None
    trained_metrics: Mapping[str, float] | None

    @property
    def is_running(self) -> bool:
        """Whether it still occupies the flywheel."""
        return self.status in RUNNING_STATUSES


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What DescribeDocumentClassifier or DescribeEntityRecognizer says.

    Parameters
    ----------
    flywheel_arn : str or None
        The flywheel whose iteration trained it.
    """

    status: str
    flywheel_arn: str | None


@dataclass(frozen=True, slots=True)
class AnswerJob:
    """What the service says of a job.

    Parameters
    ----------
    output_uri : str
        Of its archive; empty where it has none.
    seconds : float
        From submission to end; 0 while it runs.
    """

    arn: str
    model: str
    status: str
    message: str
    output_uri: str
    seconds: float

    @property
    def is_running(self) -> bool:
        """Whether it will change."""
        return self.status in _RUNNING_JOBS


def is_detection(job_arn: str) -> bool:
    """Say whether a job detects entities; the other kind classifies documents."""
    return _DETECTION in job_arn


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """An object version as a listing of the bucket gives it."""

    upload: ObjectVersion
    size_bytes: int
    modified_at: datetime


Item = dict[str, Any]
"""One row with plain Python values; keys ``pk`` and ``sk``."""


@dataclass(frozen=True, slots=True)
class Key:
    """A row's primary key."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Put:
    """Write a row that must not exist yet (or, when ``replaces``, may)."""

    key: Key
    values: Mapping[str, Any]
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Change a row that must exist and be as expected; without new values it is only checked.

    Parameters
    ----------
    key : Key
    set : mapping
        New values; None removes the attribute.
    expect : mapping
        Values that the row must have now; None means that the attribute must be absent.
    """

    key: Key
    set: Mapping[str, Any]
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row; it is no error when it is gone already."""

    key: Key


Write = Put | Change | Delete

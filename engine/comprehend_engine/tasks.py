"""What a flywheel is asked to learn: which tasks there are, and how a task is asked and told.

Decides what a TaskConfig may say. Knows no data and no request but CreateFlywheel's. Read next:
`comprehend_engine.flywheels`, and `comprehend_engine.input_data` for what a task's datasets are.

Notes
-----
*Source*: developer guide, "Languages supported" (custom models: six languages), "Flywheel
overview" (the labels are told once the flywheel is ACTIVE) and "Guidelines and quotas" (100 labels
of a multi-label classifier, 25 entity types); botocore, TaskConfig.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.shapes import matcher

MULTI_CLASS, MULTI_LABEL, ENTITIES = "MULTI_CLASS", "MULTI_LABEL", "ENTITIES"
"""The tasks, as records keep them: the two modes of a classifier, and the recognizer."""

CUSTOM_MODEL_LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
"""Languages a custom model can have; the model of the service lists more, for other calls."""

LABEL_DELIMITERS = "|~!@#$%^*-_+=\\:;>?/ \t"
"""What may stand between the labels of a document; the first is the default."""

MAX_MULTI_LABEL_LABELS = 100
"""Most labels of a multi-label classifier."""

MAX_MULTI_CLASS_LABELS = 1000
"""Most labels of a multi-class classifier, as botocore says."""

MAX_LABEL_CHARACTERS = 5000
"""Longest label, as botocore says."""

MAX_ENTITY_TYPES = 25
"""Most types of an entity recognizer."""

_TOLD_BY_MODEL_TYPE = {
    "DOCUMENT_CLASSIFIER": "DocumentClassificationConfig",
    "ENTITY_RECOGNIZER": "EntityRecognitionConfig",
}


@dataclass(frozen=True, slots=True)
class Task:
    """A task: `kind` is one of the three above, `labels` are its labels or entity types."""

    kind: str
    language_code: str
    labels: tuple[str, ...]


def model_type(kind: str) -> str:
    """Return the ModelType of a task."""
    return "ENTITY_RECOGNIZER" if kind == ENTITIES else "DOCUMENT_CLASSIFIER"


def requested_task(request: Mapping[str, Any]) -> Task:
    """Return the task of a new model's flywheel.

    Parameters
    ----------
    request : mapping
        CreateFlywheel without ActiveModelArn.

    Raises
    ------
    ServiceError
        InvalidRequestException or UnsupportedLanguageException: the task is told incompletely, or
        cannot be learned; the caller changes the request.
    """
    config, kind_of_model = request.get("TaskConfig"), request.get("ModelType")
    if config is None or kind_of_model is None:
        raise _refusal("Set ModelType and TaskConfig, or ActiveModelArn.")
    wanted = _TOLD_BY_MODEL_TYPE[kind_of_model]
    for member in _TOLD_BY_MODEL_TYPE.values():
        if (member in config) != (member == wanted):
            verb = "does not fit" if member in config else "is missing: it tells the task of"
            raise _refusal(f"TaskConfig.{member} {verb} ModelType {kind_of_model}.")
    _check_language(config["LanguageCode"])
    kind, labels = _classes(config) if wanted.startswith("Document") else _types(config)
    return Task(kind, config["LanguageCode"], labels)


def task_config(task: Task, *, tells_labels: bool) -> dict[str, Any]:
    """Return the TaskConfig that DescribeFlywheel tells."""
    told: dict[str, Any] = {"LanguageCode": task.language_code}
    if task.kind == ENTITIES:
        told["EntityRecognitionConfig"] = {"EntityTypes": [{"Type": name} for name in task.labels]}
    else:
        told["DocumentClassificationConfig"] = {
            "Mode": task.kind,
            "Labels": list(task.labels) if tells_labels and task.labels else None,
        }
    return told


def is_label(text: str) -> bool:
    """Say whether a text of a dataset can be a label; the names in a request botocore checks."""
    return len(text) <= MAX_LABEL_CHARACTERS and matcher(r"^\P{C}*$")(text)


def lake_delimiter(labels: Sequence[str]) -> str:
    """Return what stands between the labels of a document in the data lake.

    Datasets of a flywheel may each have their own delimiter; the lake has one that is part of no
    label. The last of them, a tab, never is.

    Examples
    --------
    >>> lake_delimiter(["and|or", "not"])
    '~'
    """
    return next(mark for mark in LABEL_DELIMITERS if not any(mark in label for label in labels))


def _check_language(code: str) -> None:
    if code not in CUSTOM_MODEL_LANGUAGES:
        message = (
            f"LanguageCode {code} has no custom models; "
            f"these have: {', '.join(CUSTOM_MODEL_LANGUAGES)}."
        )
        raise ServiceError("UnsupportedLanguageException", message)


def _classes(config: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    told = config["DocumentClassificationConfig"]
    mode, labels = told["Mode"], tuple(told.get("Labels", ()))
    member = "TaskConfig.DocumentClassificationConfig.Labels"
    _check_once(labels, member)
    if mode == MULTI_LABEL and len(labels) > MAX_MULTI_LABEL_LABELS:
        message = f"{member} has {len(labels)} labels; MULTI_LABEL takes {MAX_MULTI_LABEL_LABELS}."
        raise _refusal(message)
    return mode, labels


def _types(config: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    types = tuple(entry["Type"] for entry in config["EntityRecognitionConfig"]["EntityTypes"])
    member = "TaskConfig.EntityRecognitionConfig.EntityTypes"
    if not 1 <= len(types) <= MAX_ENTITY_TYPES:
        raise _refusal(f"{member} has {len(types)} types; it takes 1 to {MAX_ENTITY_TYPES}.")
    _check_once(types, member)
    return ENTITIES, types


def _check_once(names: Sequence[str], member: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _refusal(f"{member} has these more than once: {', '.join(repeated)}.")


def _refusal(problem: str) -> ServiceError:
    return ServiceError("InvalidRequestException", problem)

"""TaskConfig and ModelType: how a request states a flywheel's task, and how a response returns it.

Decides which tasks CreateFlywheel accepts. Knows no data. Read next:
`comprehend_engine.operations.flywheels`.

Notes
-----
*Source*: botocore, TaskConfig; developer guide, "Flywheel overview": DescribeFlywheel returns the
labels once the flywheel is ACTIVE.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.tasks import (
    CUSTOM_MODEL_LANGUAGES,
    ENTITIES,
    MAX_ENTITY_TYPES,
    MAX_MULTI_LABEL_LABELS,
    MULTI_LABEL,
    LearningTask,
)

_CONFIG_OF_MODEL_TYPE = {
    "DOCUMENT_CLASSIFIER": "DocumentClassificationConfig",
    "ENTITY_RECOGNIZER": "EntityRecognitionConfig",
}


def model_type(kind: str) -> str:
    """Return the ModelType of a task."""
    return "ENTITY_RECOGNIZER" if kind == ENTITIES else "DOCUMENT_CLASSIFIER"


def requested_task(request: Mapping[str, Any]) -> LearningTask:
    """Return the task of a new model's flywheel.

    Parameters
    ----------
    request : mapping
        CreateFlywheel without ActiveModelArn.

    Raises
    ------
    ServiceError
        InvalidRequestException or UnsupportedLanguageException: the task is incomplete or cannot be
        learned; the caller changes the request.
    """
    config, kind_of_model = request.get("TaskConfig"), request.get("ModelType")
    if config is None or kind_of_model is None:
        raise _refusal("Set ModelType and TaskConfig, or ActiveModelArn.")
    wanted = _CONFIG_OF_MODEL_TYPE[kind_of_model]
    for member in _CONFIG_OF_MODEL_TYPE.values():
        if (member in config) != (member == wanted):
            verb = "does not fit" if member in config else "is missing: it states the task of"
            raise _refusal(f"TaskConfig.{member} {verb} ModelType {kind_of_model}.")
    _check_language(config["LanguageCode"])
    kind, labels = _classes(config) if wanted.startswith("Document") else _types(config)
    return LearningTask(kind, config["LanguageCode"], labels)


def task_config(task: LearningTask, *, includes_labels: bool) -> dict[str, Any]:
    """Return the TaskConfig of DescribeFlywheel."""
    config: dict[str, Any] = {"LanguageCode": task.language_code}
    if task.kind == ENTITIES:
        config["EntityRecognitionConfig"] = {
            "EntityTypes": [{"Type": name} for name in task.labels]
        }
    else:
        config["DocumentClassificationConfig"] = {
            "Mode": task.kind,
            "Labels": list(task.labels) if includes_labels and task.labels else None,
        }
    return config


def _check_language(code: str) -> None:
    if code not in CUSTOM_MODEL_LANGUAGES:
        message = (
            f"LanguageCode {code} has no custom models; "
            f"these have: {', '.join(CUSTOM_MODEL_LANGUAGES)}."
        )
        raise ServiceError("UnsupportedLanguageException", message)


def _classes(config: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    classification = config["DocumentClassificationConfig"]
    mode, labels = classification["Mode"], tuple(classification.get("Labels", ()))
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

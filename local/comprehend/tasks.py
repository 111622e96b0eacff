"""What a flywheel is asked to learn: which tasks are served, and how a task is told.

Decides the tasks: multi-class document classifiers in the languages of custom models. Read next:
`local.comprehend.flywheels`.

Notes
-----
*Source*: developer guide, "Languages supported" (custom models: six languages) and "Flywheel
overview" (the labels are told once the flywheel is ACTIVE); botocore, TaskConfig.
"""

from collections.abc import Mapping
from typing import Any

from local.comprehend.errors import ServiceError
from local.comprehend.records import Flywheel

CUSTOM_MODEL_LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
"""Languages a custom model can have; the model of the service lists more, for other calls."""

SERVED = (
    "Served here: ModelType DOCUMENT_CLASSIFIER with "
    "TaskConfig.DocumentClassificationConfig, Mode MULTI_CLASS and Labels."
)
"""What a refusal says is served."""

_FEWEST_LABELS = 2


def check_served_task(request: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the language and the labels of a new model's flywheel.

    Parameters
    ----------
    request : mapping
        CreateFlywheel without ActiveModelArn.

    Raises
    ------
    ServiceError
        InvalidRequestException or UnsupportedLanguageException: the task is not served, or told
        incompletely; the caller changes the request.
    """
    task = request.get("TaskConfig")
    if task is None or "ModelType" not in request:
        raise _refusal("Set ModelType and TaskConfig, or ActiveModelArn.")
    if request["ModelType"] != "DOCUMENT_CLASSIFIER" or "EntityRecognitionConfig" in task:
        raise _refusal("Entity recognizers are not served.")
    classification = task.get("DocumentClassificationConfig")
    if classification is None:
        raise _refusal("TaskConfig.DocumentClassificationConfig is missing.")
    if classification["Mode"] != "MULTI_CLASS":
        raise _refusal(f"Mode {classification['Mode']} is not served.")
    if task["LanguageCode"] not in CUSTOM_MODEL_LANGUAGES:
        message = (
            f"LanguageCode {task['LanguageCode']} has no custom models; "
            f"these have: {', '.join(CUSTOM_MODEL_LANGUAGES)}."
        )
        raise ServiceError("UnsupportedLanguageException", message)
    return task["LanguageCode"], _checked_labels(classification.get("Labels", []))


def task_config(flywheel: Flywheel) -> dict[str, Any]:
    """Return the TaskConfig that DescribeFlywheel tells."""
    is_told = flywheel.status not in ("CREATING", "FAILED")
    return {
        "LanguageCode": flywheel.language_code,
        "DocumentClassificationConfig": {
            "Mode": "MULTI_CLASS",
            "Labels": list(flywheel.labels) if is_told else None,
        },
    }


def _checked_labels(labels: list[str]) -> tuple[str, ...]:
    if len(labels) < _FEWEST_LABELS:
        raise _refusal(f"Labels has {len(labels)} labels; at least {_FEWEST_LABELS} are needed.")
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise _refusal(f"Labels has these more than once: {', '.join(repeated)}.")
    return tuple(labels)


def _refusal(problem: str) -> ServiceError:
    return ServiceError("InvalidRequestException", f"{problem} {SERVED}")

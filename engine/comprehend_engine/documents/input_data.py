"""Validation of CreateDataset's InputDataConfig, per task.

Decides whether a config fits a flywheel's task; each error names the member. Reads no documents.
Read next: `comprehend_engine.lifecycles.dataset_ingestion`, which reads the files of a config.

Notes
-----
*Source*: botocore, DatasetInputDataConfig; developer guide, "Configuring datasets", "Guidelines and
quotas" (manifest files, attributes) and "Flywheel overview" (plain-text models only).
"""

from collections.abc import Mapping
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.tasks import ENTITIES, MULTI_CLASS

MAX_MANIFESTS = 5
"""Most augmented manifests of a dataset."""

MAX_ATTRIBUTES = 5
"""Most attributes of an augmented manifest."""

CLASSIFIER = "DocumentClassifierInputDataConfig"
RECOGNIZER = "EntityRecognizerInputDataConfig"
MANIFESTS = "AugmentedManifests"
_MEMBERS = (CLASSIFIER, RECOGNIZER, MANIFESTS)


def check_input_data(config: Mapping[str, Any], task: str) -> None:
    """Refuse a config that does not fit a task.

    Parameters
    ----------
    config : mapping
        InputDataConfig that fits its shape.
    task : str
        The task of the flywheel.

    Raises
    ------
    ServiceError
        InvalidRequestException: the message names the member and the valid one.
    """
    data_format = config.get("DataFormat", "COMPREHEND_CSV")
    if data_format == "AUGMENTED_MANIFEST":
        wanted = MANIFESTS
    else:
        wanted = RECOGNIZER if task == ENTITIES else CLASSIFIER
    fits = f"DataFormat {data_format} of a flywheel whose task is {task} takes {wanted}"
    for member in _MEMBERS:
        if member in config and member != wanted:
            raise _refusal(member, f"does not fit: {fits}")
    if wanted not in config:
        raise _refusal(wanted, f"is missing: {fits}")
    _CHECKS[wanted](config[wanted], task)


def _check_classifier(source: Mapping[str, Any], task: str) -> None:
    if task == MULTI_CLASS and "LabelDelimiter" in source:
        member = f"{CLASSIFIER}.LabelDelimiter"
        raise _refusal(member, "does not fit: a document of a MULTI_CLASS flywheel has one label")


def _check_recognizer(source: Mapping[str, Any], task: str) -> None:
    given = [member for member in ("Annotations", "EntityList") if member in source]
    if len(given) != 1:
        present = " and ".join(given) or "neither"
        raise _refusal(RECOGNIZER, f"takes one of Annotations and EntityList; it has {present}")


def _check_manifests(manifests: list[Mapping[str, Any]], task: str) -> None:
    if not 1 <= len(manifests) <= MAX_MANIFESTS:
        raise _refusal(MANIFESTS, f"has {len(manifests)} items; it takes 1 to {MAX_MANIFESTS}")
    for number, manifest in enumerate(manifests, start=1):
        member, names = f"{MANIFESTS}.{number}", manifest["AttributeNames"]
        if not 1 <= len(names) <= MAX_ATTRIBUTES:
            problem = f"has {len(names)} names; it takes 1 to {MAX_ATTRIBUTES}"
            raise _refusal(f"{member}.AttributeNames", problem)
        if manifest.get("DocumentType", "PLAIN_TEXT_DOCUMENT") != "PLAIN_TEXT_DOCUMENT":
            problem = "must be PLAIN_TEXT_DOCUMENT: flywheels only have plain-text models"
            raise _refusal(f"{member}.DocumentType", problem)


_CHECKS: Mapping[str, Any] = {
    CLASSIFIER: _check_classifier,
    RECOGNIZER: _check_recognizer,
    MANIFESTS: _check_manifests,
}


def _refusal(member: str, problem: str) -> ServiceError:
    return ServiceError("InvalidRequestException", f"InputDataConfig.{member} {problem}.")

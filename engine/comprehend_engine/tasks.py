"""The tasks that a flywheel can learn, and the limits of their labels.

Imports nothing, so that every room can use it. Read next:
`comprehend_engine.operations.task_config` (how a request states a task) and
`comprehend_engine.documents.input_data` (a task's datasets).

Notes
-----
*Source*: developer guide, "Languages supported" (custom models: six languages) and "Guidelines and
quotas" (100 labels of a multi-label classifier, 25 entity types); botocore, TaskConfig.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MULTI_CLASS, MULTI_LABEL, ENTITIES = "MULTI_CLASS", "MULTI_LABEL", "ENTITIES"
"""The tasks, as records store them: the two modes of a classifier, and the recognizer."""

CUSTOM_MODEL_LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
"""Languages a custom model can have; the model of the service lists more, for other calls."""

LABEL_DELIMITERS = "|~!@#$%^*-_+=\\:;>?/ \t"
"""Characters that can separate the labels of a document; the first is the default."""

MAX_MULTI_LABEL_LABELS = 100
"""Most labels of a multi-label classifier."""

MAX_MULTI_CLASS_LABELS = 1000
"""Most labels of a multi-class classifier, as botocore says."""

MAX_LABEL_CHARACTERS = 5000
"""Longest label, as botocore says."""

MAX_ENTITY_TYPES = 25
"""Most types of an entity recognizer."""


@dataclass(frozen=True, slots=True)
class LearningTask:
    """A task: `kind` is one of the three above, `labels` are its labels or entity types."""

    kind: str
    language_code: str
    labels: tuple[str, ...]


def label_delimiter(task: str, labels: Sequence[str]) -> str | None:
    """Return the separator of a document's labels in the data lake; None where it has one label."""
    return lake_delimiter(labels) if task == MULTI_LABEL else None


def lake_delimiter(labels: Sequence[str]) -> str:
    """Return the separator of a document's labels in the data lake.

    Each dataset of a flywheel can have its own delimiter. The lake uses one that no label contains.
    The last candidate, a tab, is never part of a label.

    Examples
    --------
    >>> lake_delimiter(["and|or", "not"])
    '~'
    """
    return next(mark for mark in LABEL_DELIMITERS if not any(mark in label for label in labels))

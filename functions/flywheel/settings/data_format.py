"""What a flywheel's data looks like: its task, its mode, and how the columns of its files lie.

Everything that reads an upload or writes a dataset asks here and nowhere else. Pure. Read next:
`flywheel.intake.labeled_documents` (uploads in) and `flywheel.batches.dataset_files` (datasets
out).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Task = Literal["classification", "entities"]
Mode = Literal["multi-class", "multi-label"]
EntitySource = Literal["annotations", "list"]
Language = Literal["en", "es", "fr", "de", "it", "pt"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Languages that custom models take (*Source*: developer guide, supported languages)."""

LabelDelimiter = Literal[
    "|", "~", "!", "@", "#", "$", "%", "^", "*", "-", "_", "+", "=", "\\", ":", ";", ">", "?", "/",
    " ", "\t",
]  # fmt: skip
LABEL_DELIMITERS: tuple[str, ...] = get_args(LabelDelimiter)
"""What may stand between labels (*Source*: botocore, shape LabelDelimiter)."""

MAX_ROW_BYTES = 131_072
"""Longest row of a file, in bytes: the csv module's own limit of a field."""

ENTITY_DOCUMENT_BYTES = 5000
"""Longest document of an entity dataset (*Source*: developer guide, guidelines and limits)."""


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """Where label and text stand in a CSV file.

    Parameters
    ----------
    header : bool
        The first row names the columns.
    label, text : int or str
        Columns: a number from 1, or a name where there is a header.
    sep : str of length 1
    """

    header: bool = False
    label: int | str = 1
    text: int | str = 2
    sep: str = ","

    @property
    def is_services_own(self) -> bool:
        """Whether it is the layout that the service takes."""
        return self == CsvLayout()


@dataclass(frozen=True, slots=True)
class DataFormat:
    """What the rows of a flywheel are.

    Parameters
    ----------
    task, mode : str
        ``mode`` counts for classification alone.
    delimiter : str of length 1
        Between the labels of one document.
    entities_from : str
        Whether an entity flywheel learns from annotations or from a list of entities: a dataset of
        the service is the one or the other.
    csv : CsvLayout
        Of uploads; datasets always have the service's own.
    label_attribute : str, optional
        Which attribute of an augmented manifest holds the labels, where there are several.
    entity_document_bytes : int
        Longest document that an entity dataset takes.
    """

    task: Task = "classification"
    mode: Mode = "multi-class"
    delimiter: str = "|"
    entities_from: EntitySource = "annotations"
    csv: CsvLayout = CsvLayout()
    label_attribute: str | None = None
    entity_document_bytes: int = ENTITY_DOCUMENT_BYTES

    @property
    def is_multi_label(self) -> bool:
        """Whether a document may have several labels."""
        return self.task == "classification" and self.mode == "multi-label"

    @property
    def is_pair(self) -> bool:
        """Whether an upload may come as two objects."""
        return self.task == "entities"


def described_task(task_config: Mapping[str, Any]) -> tuple[Task, Mode]:
    """Return the task and mode that DescribeFlywheel's TaskConfig says.

    Examples
    --------
    >>> described_task({"DocumentClassificationConfig": {"Mode": "MULTI_LABEL"}})
    ('classification', 'multi-label')
    """
    if "EntityRecognitionConfig" in task_config:
        return "entities", "multi-class"
    mode = task_config.get("DocumentClassificationConfig", {}).get("Mode")
    return "classification", "multi-label" if mode == "MULTI_LABEL" else "multi-class"


def described_labels(task_config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels, or entity types, that DescribeFlywheel's TaskConfig says."""
    types = task_config.get("EntityRecognitionConfig", {}).get("EntityTypes", [])
    labels = task_config.get("DocumentClassificationConfig", {}).get("Labels", [])
    return tuple(labels) or tuple(entity["Type"] for entity in types)

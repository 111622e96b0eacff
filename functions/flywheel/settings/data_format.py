"""What a flywheel's data looks like: task and mode, labels or entity types, columns of its files.

Decides which values an environment's file may have: those that the service accepts. Everything that
reads an upload or writes a dataset asks `DataFormat` and nothing else. Pure. Read next:
`flywheel.settings.environment` (the flywheel around it), `flywheel.intake.labeled_documents`
(uploads in) and `flywheel.batches.dataset_files` (datasets out).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, ConfigDict, field_validator, model_validator

from flywheel.settings.policy import Section

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

_MOST_LABELS: Mapping[Mode, int] = {"multi-class": 1000, "multi-label": 100}
"""*Source*: developer guide, guidelines and limits (labels of a classifier)."""

_MOST_ENTITY_TYPES = 25
"""*Source*: botocore, shape EntityTypesList; developer guide, guidelines and limits."""

_ENTITY_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def _are_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not 2 <= len(labels) <= _MOST_LABELS["multi-class"]:  # noqa: PLR2004 - one label is no choice
        raise ValueError(f"2 to 1,000 labels are allowed, {len(labels)} are given")
    for label in labels:
        if not label or label != label.strip() or len(label) > 5000 or not label.isprintable():  # noqa: PLR2004 - the service's quota
            raise ValueError(
                f"{label[:40]!r}: a label has 1 to 5,000 printable characters and no blank "
                "at its ends"
            )
    return _are_given_once(labels)


def _are_entity_types(types: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(types) <= _MOST_ENTITY_TYPES:
        raise ValueError(f"1 to {_MOST_ENTITY_TYPES} types are allowed, {len(types)} are given")
    for kind in types:
        if not _ENTITY_TYPE.fullmatch(kind):
            raise ValueError(
                f"{kind[:40]!r}: an entity type has 1 to 64 upper-case letters, digits and "
                "underscores, a letter first"
            )
    return _are_given_once(types)


def _are_given_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"given twice: {', '.join(twice)}")
    return names


Labels = Annotated[tuple[str, ...], AfterValidator(_are_labels)]
EntityTypes = Annotated[tuple[str, ...], AfterValidator(_are_entity_types)]


def require_multi_label(labels: tuple[str, ...], delimiter: LabelDelimiter) -> None:
    """Refuse labels of which a document cannot have several.

    Raises
    ------
    ValueError
        Naming the label, or how many there may be.
    """
    most = _MOST_LABELS["multi-label"]
    if len(labels) > most:
        raise ValueError(
            f"labels: a multi-label flywheel has at most {most}, {len(labels)} are given"
        )
    for label in labels:
        if delimiter in label:
            raise ValueError(
                f"labels: {label[:40]!r} holds the label_delimiter {delimiter!r}; "
                "choose another label_delimiter, or rename the label"
            )


class CsvLayout(Section):
    """Where label and text stand in a CSV file.

    Parameters
    ----------
    header : bool
        The first row names the columns.
    label, text : int or str
        Columns: a number from 1, or a name where there is a header.
    sep : str of length 1
    """

    model_config = ConfigDict(strict=True)

    header: bool = False
    label: int | str = 1
    text: int | str = 2
    sep: str = ","

    @field_validator("label", "text")
    @classmethod
    def _is_a_column(cls, column: int | str) -> int | str:
        if isinstance(column, bool) or (isinstance(column, int) and column < 1):
            raise ValueError("a column is a number from 1, or a name where header = true")
        if isinstance(column, str) and column != column.strip():
            raise ValueError("a column's name has no blank at its ends")
        return column

    @field_validator("sep")
    @classmethod
    def _is_one_character(cls, sep: str) -> str:
        if len(sep) != 1 or not sep.isascii() or (not sep.isprintable() and sep != "\t"):
            raise ValueError(f"one printable ASCII character or a tab is allowed, not {len(sep)}")
        if sep == '"':
            raise ValueError("a quote cannot separate columns, since it encloses texts")
        return sep

    @model_validator(mode="after")
    def _names_two_columns(self) -> Self:
        if self.label == self.text:
            raise ValueError("label and text must be two columns")
        names = [column for column in (self.label, self.text) if isinstance(column, str)]
        if names and not self.header:
            raise ValueError(
                f"a column has a name ({names[0]!r}) only where header = true; else give its number"
            )
        return self

    @property
    def is_services_own(self) -> bool:
        """Whether it is the layout that the service accepts."""
        return self == _SERVICES_LAYOUT


_SERVICES_LAYOUT = CsvLayout()


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
    csv: CsvLayout = _SERVICES_LAYOUT
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


SERVICES_OWN = DataFormat()
"""What the service takes when nothing else is said: one label per document, in two columns."""


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

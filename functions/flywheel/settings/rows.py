"""What a flywheel's rows are in its environment's file: columns, labels, entity types.

Decides which values are allowed: those that the service accepts. Read next:
`flywheel.settings.environment` (the flywheel that they are of) and `flywheel.settings.data_format`
(the same as the domain knows it).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, field_validator, model_validator

from flywheel.settings.data_format import CsvLayout, LabelDelimiter, Mode
from flywheel.settings.policy import Section

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


class CsvColumns(Section):
    """Where label and text stand in the CSV files that people upload."""

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

    def layout(self) -> CsvLayout:
        """Return it as the domain knows it."""
        return CsvLayout(self.header, self.label, self.text, self.sep)

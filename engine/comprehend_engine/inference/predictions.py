"""Predictions as the service spells them, in responses and in the output of jobs.

Decides the members of a label and of an entity. Knows no model. Read next:
`comprehend_engine.inference.worker`.
"""

from collections.abc import Iterable
from typing import Any

ScoredLabel = tuple[str, float]
"""A label's name and score."""

ScoredMention = tuple[int, int, str, float]
"""Where a mention begins and ends (exclusive), its type and its score."""


def label_entries(labels: Iterable[ScoredLabel], **members: Any) -> list[dict[str, Any]]:
    """Return the entries of ``Classes`` or ``Labels``; each also gets the given members."""
    return [{"Name": name, "Score": score, **members} for name, score in labels]


def entity_entries(text: str, mentions: Iterable[ScoredMention]) -> list[dict[str, Any]]:
    """Return the entries of ``Entities``; offsets count characters.

    Examples
    --------
    >>> entity_entries("in York", [(3, 7, "CITY", 0.9)])[0]["Text"]
    'York'
    """
    return [
        {
            "Score": score,
            "Type": kind,
            "Text": text[begin:end],
            "BeginOffset": begin,
            "EndOffset": end,
        }
        for begin, end, kind, score in mentions
    ]

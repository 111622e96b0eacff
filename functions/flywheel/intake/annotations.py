"""Annotations of one document: what makes them valid, and their canonical form.

Begin and end count characters of the document from 0, the end is exclusive. The canonical form is a
JSON list of ``[begin, end, type]``, sorted: the label of a `flywheel.intake.labeled_documents.Row`.
*Source*: developer guide, "Plain-text annotation files".
"""

import json
from collections.abc import Iterable

from flywheel.number_words import number_of

Span = tuple[int, int, str]

NO_ANNOTATIONS = "[]"


def canonical_annotations(spans: Iterable[Span]) -> str:
    """Return annotations as a row's label; the same one twice counts once.

    Examples
    --------
    >>> canonical_annotations([(9, 12, "CITY"), (0, 4, "PERSON")])
    '[[0,4,"PERSON"],[9,12,"CITY"]]'
    """
    listed = [list(span) for span in sorted(set(spans))]
    return json.dumps(listed, separators=(",", ":"), ensure_ascii=False)


def wrong_annotation(spans: Iterable[Span], text: str, *, names_types: bool) -> str | None:
    """Say what is wrong with a document's annotations, or return None.

    Parameters
    ----------
    names_types : bool
        Whether types may be named: those of a flywheel, not what a file has in their place.
    """
    before = 0
    for begin, end, kind in sorted(set(spans)):
        where = f"the annotation {begin}-{end}" + (f" {kind}" if names_types else "")
        if begin < 0 or end <= begin:
            return f"{where} is empty: the end is exclusive and comes after the beginning"
        if end > len(text):
            return (
                f"{where} ends behind the text, which has {number_of(len(text), 'character')}; "
                "offsets count characters from 0, not bytes"
            )
        if begin < before:
            return f"{where} overlaps the one before it, and the service takes no overlaps"
        before = end
    return None


def spans_of(label: str) -> list[Span]:
    """Return the annotations of a row's label."""
    return [(begin, end, kind) for begin, end, kind in json.loads(label)]

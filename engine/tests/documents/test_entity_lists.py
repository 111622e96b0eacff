"""Where the entries of an entity list occur."""

import pytest

from comprehend_engine.documents.annotation_files import EntityList


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("Rome", [(0, 4, "CITY")]),
        ("in Rome, Rome.", [(3, 7, "CITY"), (9, 13, "CITY")]),
        ("rome", []),
        ("Romeo and Romes", []),
        ("New  York", [(0, 9, "CITY")]),
        ("New York Times", [(0, 14, "PAPER")]),
        ("New Yorker", []),
        ("in New", []),
        ("(C++)", [(1, 4, "LANGUAGE")]),
        ("", []),
    ],
)
def test_entries_are_found_when_their_words_stand_side_by_side(
    document: str, found: list[tuple[int, int, str]]
) -> None:
    """In their case, as whole words, the longest first."""
    entries = EntityList(
        [
            ("Rome", "CITY"),
            ("New York", "CITY"),
            ("New York Times", "PAPER"),
            ("C++", "LANGUAGE"),
            ("Rome", "TOWN"),
            (" ", "CITY"),
        ]
    )
    assert entries.occurrences(document) == found

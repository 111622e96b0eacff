"""Numbers with what they count, as people read them."""

import re
from pathlib import Path

from flywheel.number_words import number_of

PROJECT = Path(__file__).parents[2]


def test_a_noun_is_singular_when_there_is_one() -> None:
    """None and many are plural, which need not be made by an s."""
    assert number_of(1, "entity type") == "1 entity type"
    assert number_of(0, "upload") == "0 uploads"
    assert number_of(12_345, "entry", "entries") == "12,345 entries"


def test_no_sentence_leaves_the_plural_to_the_reader() -> None:
    """Words such as "1 file(s)" are in no source file that prints."""
    folders = ("benchmarks", "console", "functions", "infra", "local")
    sources = [path for folder in folders for path in (PROJECT / folder).rglob("*.py")]
    hedged = re.compile(r"[a-z]\((?:s|es|ies)\)")
    assert len(sources) > 100
    assert [path.name for path in sources if hedged.search(path.read_text("utf-8"))] == []

"""Made-up documents with mentions, for benchmarks that need a recognizer but no real data."""

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

Span = tuple[int, int, str]
"""First character, the one behind the last, and the type."""


def generate_patterns(chance: random.Random, count: int) -> tuple[list[str], list[list[Span]]]:
    """Make documents with people, places and codes in them, of words that are mostly new."""
    documents: list[str] = []
    mentions: list[list[Span]] = []
    for _ in range(count):
        text, spans = "", []
        for piece in chance.choice(_FRAMES).split(" "):
            word = _MAKERS[piece](chance) if piece in _MAKERS else piece
            if piece in _MAKERS:
                spans.append((len(text), len(text) + len(word), piece))
            text += word + " "
        documents.append(text.rstrip())
        mentions.append(spans)
    return documents, mentions


def write_annotated(
    folder: Path, documents: Sequence[str], mentions: Sequence[Sequence[Span]]
) -> None:
    """Write documents and the mentions of each."""
    folder.mkdir(parents=True)
    (folder / "documents.txt").write_text("\n".join(documents) + "\n", encoding="utf-8")
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("File", "Line", "Begin Offset", "End Offset", "Type"))
        for line, spans in enumerate(mentions):
            writer.writerows(("documents.txt", line, *span) for span in spans)


def _invented(chance: random.Random, endings: Sequence[str]) -> str:
    syllables = ("ba", "ko", "lin", "mar", "ta", "ru", "vel", "no", "si", "der")
    return ("".join(chance.choices(syllables, k=2)) + chance.choice(endings)).capitalize()


_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "PERSON": lambda chance: " ".join(
        [chance.choice(("Ana", "Björn", "Zoë", "Ravi")), _invented(chance, ("son", "ez", "ini"))]
    ),
    "PLACE": lambda chance: _invented(chance, ("burg", "ville", "stadt", "mouth")),
    "CODE": lambda chance: f"{chance.choice('ABC')}-{chance.randrange(10**4)}",
}
_FRAMES = (
    "yesterday PERSON left for PLACE with 3 bags",
    "order CODE was sent to PLACE",
    "PERSON asked about CODE and CODE again",
    "nobody in PLACE has met PERSON , it seems",
    "there were 12 of them , all late",
)

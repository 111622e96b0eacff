"""How well and how fast entities are learnt, beside what people would use instead.

``python -m benchmarks.entities`` takes every set that it finds (a folder of folders with ``train``
and ``test``, each with ``documents.txt``, one document a line, and ``annotations.csv``: ``--data``)
and documents made of patterns, and learns each in every way that is installed; ``--set NAME`` takes
one. Peers are in ``benchmarks/requirements.txt``. Asserts nothing. Read next:
`benchmarks.side_by_side`, then `benchmarks.entity_peers`.
"""

import csv
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from benchmarks import entity_peers, side_by_side
from benchmarks.entity_peers import WAYS, Documents, Spans
from benchmarks.side_by_side import DATA, QUICK_ROWS, RUNS, Outcome, Quality, Watch
from benchmarks.tables import Result
from flywheel.number_words import number_of

_MODULE = "benchmarks.entities"
_PATTERNS = "patterns"
_PATTERN_DOCUMENTS = 200


def measure(*, quick: bool = False) -> Iterator[Result]:
    """Learn all sets in all ways, each table as soon as it is there."""
    yield from _tables(DATA, None, RUNS, quick)


def compared(
    folder: Path, *, runs: int, ways: Collection[str] = tuple(WAYS), note: str = ""
) -> Result:
    """Learn one set in some ways."""
    (documents, mentions), (test, _) = read(folder / "train"), read(folder / "test")
    types = {entity_type for spans in mentions for _, _, entity_type in spans}
    about = (
        f"{len(documents):,} documents with {sum(map(len, mentions)):,} mentions, {len(test):,} "
        f"more to test, {number_of(len(types), 'type')}; a mention counts where it matches "
        f"exactly.{note}"
    )
    return side_by_side.compare(
        f"Entities: {folder.name}",
        module=_MODULE,
        folder=folder,
        ways={way: package for way, package in WAYS.items() if way in ways},
        kin="CRFsuite",
        about=about,
        runs=runs,
    )


def read(folder: Path) -> tuple[Documents, Spans]:
    """Read documents and the mentions of each."""
    text = (folder / "documents.txt").read_text(encoding="utf-8")
    documents = text.removesuffix("\n").split("\n")
    mentions: Spans = [[] for _ in documents]
    with (folder / "annotations.csv").open(newline="", encoding="utf-8") as file:
        for _, line, begin, end, entity_type in list(csv.reader(file, skipinitialspace=True))[1:]:
            mentions[int(line)].append((int(begin), int(end), entity_type))
    return documents, mentions


def run(way: str, folder: Path) -> None:
    """Be one measured process."""
    learner = entity_peers.learner(way)
    watch = Watch()
    documents, mentions = read(folder / "train")
    test, there = read(folder / "test")
    found = learner(documents, mentions, test)
    cost = watch.cost()
    side_by_side.tell(Outcome(quality(there, found), cost))


def quality(there: Spans, found: Spans) -> Quality:
    """Return micro F1, macro F1, precision and recall of mentions that match exactly."""
    counts = [Counter[str]() for _ in range(3)]
    for expected, got in zip(there, found, strict=True):
        chosen = (set(expected) & set(got), set(got), set(expected))
        for counter, spans in zip(counts, chosen, strict=True):
            counter.update(entity_type for _, _, entity_type in spans)
    right, said, known = (counter.total() for counter in counts)
    macro = statistics.fmean(
        2 * counts[0][each] / (counts[1][each] + counts[2][each]) for each in counts[2]
    )
    return {
        "micro-F1": 2 * right / max(1, said + known),
        "macro-F1": macro,
        "precision": right / max(1, said),
        "recall": right / max(1, known),
    }


def write(folder: Path, documents: Documents, mentions: Spans) -> None:
    """Write documents and the mentions of each."""
    folder.mkdir(parents=True)
    (folder / "documents.txt").write_text("\n".join(documents) + "\n", encoding="utf-8")
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("File", "Line", "Begin Offset", "End Offset", "Type"))
        for line, spans in enumerate(mentions):
            writer.writerows(("documents.txt", line, *span) for span in spans)


def patterns(chance: random.Random, count: int) -> tuple[Documents, Spans]:
    """Make documents with people, places and codes in them, of words that are mostly new."""
    documents: Documents = []
    mentions: Spans = []
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


def _tables(data: Path, name: str | None, runs: int, quick: bool) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as scratch:
        folders = sorted(file.parents[1] for file in data.glob("*/train/documents.txt"))
        note = "" if folders else side_by_side.ALONE
        folders.append(Path(scratch) / _PATTERNS)
        chance = random.Random(7)
        for part in ("train", "test"):
            write(folders[-1] / part, *patterns(chance, _PATTERN_DOCUMENTS))
        for folder in (each for each in folders if name in (None, each.name)):
            kept = _part(folder, Path(scratch) / "part" / folder.name) if quick else folder
            yield compared(kept, runs=1 if quick else runs, note=note)


def _part(folder: Path, into: Path) -> Path:
    """Write a part of a set, from all over it."""
    for name in ("train", "test"):
        documents, mentions = read(folder / name)
        step = max(1, len(documents) // QUICK_ROWS)
        write(into / name, documents[::step], mentions[::step])
    return into


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

if __name__ == "__main__":
    side_by_side.main(__doc__, run, _tables)

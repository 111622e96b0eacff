"""Cut a user's labeled rows into the files that the demonstration drops one after the other.

Decides which files of a folder are the training and the test set, and which row goes into which
part. It must not know how files are read and checked (`flywheel.intake.labeled_documents` does
that), nor what is done with the parts. What rows of a task have in common: `console.demo.tasks`.
Read next: `console.demo.sample_tickets`, which makes the same parts when the user brings no data.
"""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.demo.tasks import DemoParts, Row, known_labels, moved_annotations, stratum
from console.errors import CommandError, ExitCode
from flywheel.intake.labeled_rows import labels_of
from flywheel.settings.data_format import SERVICES_OWN, DataFormat

_SEED = 20
_MIN_LABELS = 2
_MIN_TRAIN_ROWS = 10
_TRAIN_PERCENTS = (30, 50, 20)
_HOLD_OUT_PERCENTS = (80, 20)


class DemoDataError(CommandError):
    """The user's data cannot carry the demonstration; the user can change it."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(ExitCode.REFUSED, where, problem, remedy)


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """The files of a folder that hold the user's data.

    Parameters
    ----------
    train : Path
        Of an entity flywheel, the documents; the annotations lie beside them.
    test : Path or None
        None where one file holds everything.
    """

    train: Path
    test: Path | None


def find_demo_files(folder: Path) -> DemoFiles:
    """Find the user's data: ``train.csv`` and ``test.csv``, or one CSV file alone.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    DemoFiles

    Raises
    ------
    DemoDataError
        When it is no folder, holds no CSV file, or several that do not say which is which.
    """
    expected = "Expected: train.csv and test.csv, or one CSV file alone"
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "there is no such folder"
        raise DemoDataError(str(folder), problem, expected)
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    tables = {path.name.casefold(): path for path in files if path.suffix.casefold() == ".csv"}
    if {"train.csv", "test.csv"} <= tables.keys():
        return DemoFiles(tables["train.csv"], tables["test.csv"])
    if len(tables) == 1:
        return DemoFiles(next(iter(tables.values())), None)
    shown = sorted(path.name for path in (tables.values() or files))
    names = ", ".join(shown[:10]) + (", ..." if len(shown) > 10 else "")  # noqa: PLR2004 - as many as fit on a line
    if tables:
        problem = f"holds {len(tables)} CSV files and not both expected names: {names}"
        raise DemoDataError(str(folder), problem, expected)
    raise DemoDataError(str(folder), f"holds no CSV file (found: {names or 'nothing'})", expected)


def find_demo_pairs(folder: Path) -> DemoFiles:
    """Find a user's annotated documents, in ``train`` and ``test`` or in the folder itself.

    Raises
    ------
    DemoDataError
        There are none.
    """
    train, test = (folder / kind / "documents.txt" for kind in ("train", "test"))
    alone = folder / "documents.txt"
    if train.is_file() or alone.is_file():
        return DemoFiles(train if train.is_file() else alone, test if test.is_file() else None)
    expected = (
        "Expected: documents.txt and annotations.csv, in the folder or in train and test within it"
    )
    raise DemoDataError(str(folder), "holds no documents.txt", expected)


def split_for_demo(
    train_rows: Sequence[Row],
    test_rows: Sequence[Row] | None = None,
    *,
    source: str = "train.csv",
    shape: DataFormat = SERVICES_OWN,
    seed: int = _SEED,
) -> DemoParts:
    """Cut rows into the demonstration's parts, stratified by label and always the same way.

    Parameters
    ----------
    train_rows : sequence of Row
        Checked rows; of them 30, 50 and 20 % become the three training files.
    test_rows : sequence of Row, optional
        The test set. None takes 20 % of the training rows for it, never from a label that has one
        row alone, and never a text that also stays in training. Where most texts are repeated,
        exact duplicates are dropped first, or too few would be left for it.
    source : str
        The file that an error names.
    shape : DataFormat
        Of the rows.
    seed : int

    Returns
    -------
    DemoParts
        Every row is in exactly one part, but for duplicates that were dropped.

    Raises
    ------
    DemoDataError
        When there are fewer than two labels, or too few rows for every part to hold some.

    Examples
    --------
    >>> rows = [(label, f"{label} {n}") for label in "AB" for n in range(50)]
    >>> parts = split_for_demo(rows)
    >>> len(parts.test), len(parts.first), len(parts.more), len(parts.mislabeled)
    (20, 24, 40, 16)
    """
    shuffled = list(train_rows)
    random.Random(seed).shuffle(shuffled)
    labels_known = known_labels(shuffled, shape)
    _check_labels(labels_known, source, shape)
    held_out: Sequence[Row] = test_rows if test_rows is not None else ()
    if test_rows is None:
        shuffled, held_out = _hold_out(_enough_unique(shuffled), shape)
    first, more, third = _cut(shuffled, _TRAIN_PERCENTS, (1, 0, 0), shape)
    if len(shuffled) < _MIN_TRAIN_ROWS or not (held_out and first and more and third):
        problem = f"{len(train_rows)} rows are too few for a test set and three training files"
        remedy = f"Give at least 20 rows, better 50 for each of the {len(labels_known)} labels"
        raise DemoDataError(source, problem, remedy)
    if shape.task == "entities":
        wrong = moved_annotations(third, labels_known, seed)
    else:
        wrong = with_wrong_labels(third, labels_known, seed, shape)
    return DemoParts(tuple(held_out), tuple(first), tuple(more), wrong)


def with_wrong_labels(
    rows: Sequence[Row], labels: Sequence[str], seed: int, shape: DataFormat = SERVICES_OWN
) -> tuple[Row, ...]:
    """Replace each row's labels by a different one, drawn uniformly from the other labels.

    Parameters
    ----------
    rows : sequence of Row
    labels : sequence of str
        Two distinct labels at least, the rows' own among them.
    seed : int

    Returns
    -------
    tuple of Row
        In the same order. The draw depends on the text alone, so that the same text gets the same
        wrong label wherever it stands.

    Examples
    --------
    >>> with_wrong_labels([("A", "one"), ("B", "two")], ["A", "B"], seed=1)
    (('B', 'one'), ('A', 'two'))
    """
    labels_at: defaultdict[str, set[str]] = defaultdict(set)
    for label, text in rows:
        labels_at[text].update(labels_of(label, shape))
    wrong = []
    for label, text in rows:
        # A text that bears every label has none left that is wrong for all its rows.
        own = set(labels_of(label, shape))
        others = sorted(set(labels) - labels_at[text]) or sorted(set(labels) - own) or [labels[0]]
        digest = hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=8).digest()
        wrong.append((others[int.from_bytes(digest) % len(others)], text))
    return tuple(wrong)


def _check_labels(labels: Sequence[str], source: str, shape: DataFormat) -> None:
    if shape.task == "entities" and not labels:
        remedy = "A recognizer needs annotations: add some"
        raise DemoDataError(source, "holds no annotated document", remedy)
    if shape.task == "classification" and len(labels) < _MIN_LABELS:
        problem = f"holds one label only ({labels[0]!r})" if labels else "holds no rows"
        remedy = "A classifier needs two labels at least: add rows of another label"
        raise DemoDataError(source, problem, remedy)


def _enough_unique(rows: list[Row]) -> list[Row]:
    """Drop exact duplicates where so few texts occur once that they make no test set."""
    times = Counter(text for _, text in rows)
    unique = sum(times[text] == 1 for _, text in rows)
    return rows if unique * 100 >= len(rows) * _HOLD_OUT_PERCENTS[1] else list(dict.fromkeys(rows))


def _hold_out(rows: list[Row], shape: DataFormat) -> tuple[list[Row], list[Row]]:
    """Hold out a test set from shuffled rows; a text that occurs twice stays in training."""
    times = Counter(text for _, text in rows)
    repeated_first = sorted(rows, key=lambda row: times[row[1]] == 1)
    train, test = _cut(repeated_first, _HOLD_OUT_PERCENTS, (1, 1), shape)
    kept = [row for row in test if times[row[1]] > 1]
    return train + kept, [row for row in test if times[row[1]] == 1]


def _cut(
    rows: Sequence[Row], percents: tuple[int, ...], minimums: tuple[int, ...], shape: DataFormat
) -> list[list[Row]]:
    """Deal rows out into parts; the rows of a label go to its parts in their order."""
    alike = [stratum(label, shape) for label, _ in rows]
    counts = Counter(alike)
    shares = _shares(counts, percents, minimums)
    place = {
        label: [part for part, size in enumerate(sizes) for _ in range(size)]
        for label, sizes in shares.items()
    }
    dealt: Counter[str] = Counter()
    parts: list[list[Row]] = [[] for _ in percents]
    for row, kind in zip(rows, alike, strict=True):
        parts[place[kind][dealt[kind]]].append(row)
        dealt[kind] += 1
    return parts


def _shares(
    counts: Counter[str], percents: tuple[int, ...], minimums: tuple[int, ...]
) -> dict[str, list[int]]:
    """Return how many rows of each label each part gets.

    Every label first gets whole shares. Rounding leaves some rows: at most one per label and part,
    each goes to the part that is furthest from its overall size. This meets the overall sizes
    wherever they can be met (the construction that proves the Gale-Ryser theorem).
    """
    shares: dict[str, list[int]] = {}
    for label, count in sorted(counts.items()):
        sizes: list[int] = []
        for percent, minimum in zip(percents, minimums, strict=True):
            sizes.append(min(max(count * percent // 100, minimum), count - sum(sizes)))
        shares[label] = sizes
    needs = _largest_remainder(counts.total(), percents)
    for sizes in shares.values():
        needs = [need - size for need, size in zip(needs, sizes, strict=True)]
    for label, sizes in shares.items():
        count = counts[label]
        order = sorted(
            range(len(percents)),
            key=lambda part: (-needs[part], -(count * percents[part] % 100)),
        )
        for part in order[: count - sum(sizes)]:
            sizes[part] += 1
            needs[part] -= 1
    return shares


def _largest_remainder(total: int, percents: tuple[int, ...]) -> list[int]:
    sizes = [total * percent // 100 for percent in percents]
    by_remainder = sorted(range(len(percents)), key=lambda part: -(total * percents[part] % 100))
    for part in by_remainder[: total - sum(sizes)]:
        sizes[part] += 1
    return sizes

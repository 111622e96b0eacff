"""How well and how fast the engine's classifier learns, beside what people would use instead.

``python -m benchmarks.classification`` takes every labeled set that it finds (a folder of folders
with ``train.csv`` and ``test.csv``, label and text: ``--data``), or else sample tickets, and learns
each in every way that is installed; ``--set NAME`` takes one. Peers are in
``benchmarks/requirements.txt``. Asserts nothing. Read next:
`benchmarks.side_by_side`, then `benchmarks.classification_ways`.
"""

import csv
import importlib
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import side_by_side
from benchmarks.classification_ways import ONLY_MULTI_LABEL, WAYS, Answer, Task
from benchmarks.side_by_side import DATA, QUICK_ROWS, RUNS, Outcome, Quality, Watch
from benchmarks.tables import Result
from console.sample_tickets import generate_tickets

_MODULE = "benchmarks.classification"
_TRAIN_TICKETS, _TEST_TICKETS = 3000, 1000
_DELIMITER = "|"
_BINS = 15

Row = tuple[str, str]


def measure(*, quick: bool = False) -> Iterator[Result]:
    """Learn all sets in all ways; in the quick form parts of them."""
    yield from _tables(DATA, None, RUNS, quick)


def compared(
    folder: Path, *, runs: int, ways: Collection[str] = tuple(WAYS), note: str = ""
) -> Result:
    """Learn one set in some ways."""
    task, has = read(folder)
    chosen = {
        name: way.package
        for name, way in WAYS.items()
        if name in ways and not (task.is_exclusive and name in ONLY_MULTI_LABEL)
    }
    kind = "one a document" if task.is_exclusive else "several a document"
    about = (
        f"{len(task.texts):,} documents, {len(has):,} more to test, {len(task.names)} labels, "
        f"{kind}.{note}"
    )
    return side_by_side.compare(
        f"Classification: {folder.name}",
        module=_MODULE,
        folder=folder,
        ways=chosen,
        kin="scikit-learn",
        about=about,
        runs=runs,
    )


def read(folder: Path) -> tuple[Task, npt.NDArray[np.bool_]]:
    """Return what is to be learned, and which labels the test texts have."""
    csv.field_size_limit(1 << 30)
    texts, labels = _rows(folder / "train.csv")
    test_texts, test_labels = _rows(folder / "test.csv")
    # A label that no training text has cannot be learned by any of them.
    names = sorted({label for each in labels for label in each})
    known = set(names)
    test_labels = [[label for label in each if label in known] for each in test_labels]
    is_exclusive = all(len(each) == 1 for each in labels)
    task = Task(texts, labels, test_texts, names, is_exclusive)
    return task, Task(test_texts, test_labels, (), names, is_exclusive).has()


def run(way: str, folder: Path) -> None:
    """Be one measured process."""
    for module in WAYS[way].imports:
        importlib.import_module(module)
    watch = Watch()
    task, has = read(folder)
    answer = WAYS[way].run(task)
    cost = watch.cost()
    side_by_side.tell(Outcome(quality(answer, has), cost))


def quality(answer: Answer, has: npt.NDArray[np.bool_]) -> Quality:
    """Return macro-F1 of the labels that occur in the test, micro-F1, accuracy, and ECE."""
    right = 2 * (answer.given & has).sum(axis=0)
    both = answer.given.sum(axis=0) + has.sum(axis=0)
    occurs = has.any(axis=0)
    scores = answer.scores
    error = None
    if scores is not None:
        is_exclusive = bool((has.sum(axis=1) == 1).all())
        rows, best = np.arange(len(has)), scores.argmax(axis=1)
        error = (
            calibration_error(scores[rows, best], has[rows, best])
            if is_exclusive
            else calibration_error(scores.ravel(), has.ravel())
        )
    return {
        "macro-F1": float((right / np.maximum(1, both))[occurs].mean()),
        "micro-F1": float(right.sum() / both.sum()),
        "accuracy": float((answer.given == has).all(axis=1).mean()),
        "ECE": error,
    }


def calibration_error(scores: npt.NDArray[np.float64], is_right: npt.NDArray[np.bool_]) -> float:
    """Return the expected difference of score and share that is right, over equal bins."""
    bins = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    gaps = [abs((scores - is_right)[bins == each].sum()) for each in range(_BINS)]
    return float(sum(gaps) / len(scores))


def one_table(results: Mapping[str, Result]) -> Result:
    """Put the tables of sets under each other."""
    columns = ("set", *next(iter(results.values())).columns)
    rows = [(name, *row) for name, result in results.items() for row in result.rows]
    notes = [f"{name}. {' '.join(result.notes)}" for name, result in results.items()]
    return Result("Classification", columns, rows, notes)


def _tables(data: Path, name: str | None, runs: int, quick: bool) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as scratch:
        folders = sorted(file.parent for file in data.glob("*/train.csv"))
        note = "" if folders else side_by_side.ALONE
        folders = folders or [_tickets(Path(scratch) / "sample_tickets")]
        results = {}
        for folder in (each for each in folders if name in (None, each.name)):
            measured = _part(folder, Path(scratch) / "part" / folder.name) if quick else folder
            results[folder.name] = compared(measured, runs=1 if quick else runs, note=note)
    if results:
        yield one_table(results)


def _tickets(folder: Path) -> Path:
    """Write a set that is there everywhere."""
    tickets = generate_tickets(_TRAIN_TICKETS + _TEST_TICKETS, seed=1)
    _write(folder / "train.csv", tickets[:_TRAIN_TICKETS])
    _write(folder / "test.csv", tickets[_TRAIN_TICKETS:])
    return folder


def _part(folder: Path, into: Path) -> Path:
    """Write a part of a set, from all over it, since some are sorted by label."""
    for name in ("train.csv", "test.csv"):
        rows = _lines(folder / name)
        _write(into / name, rows[:: max(1, len(rows) // QUICK_ROWS)])
    return into


def _write(file: Path, rows: Iterable[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows(rows)


def _lines(file: Path) -> list[Row]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [(label, text) for label, text in csv.reader(lines)]


def _rows(file: Path) -> tuple[list[str], list[list[str]]]:
    rows = _lines(file)
    return [text for _, text in rows], [label.split(_DELIMITER) for label, _ in rows]


if __name__ == "__main__":
    side_by_side.main(__doc__, run, _tables)

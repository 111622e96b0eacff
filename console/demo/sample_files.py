"""A sample file for each flywheel of an environment, so that a first upload works as printed.

Decides the texts: sample tickets where the labels are theirs, else sentences that name their label,
which any model learns. Must not know how a file is uploaded.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from console.demo.sample_tickets import LABELS, generate_tickets
from console.demo.tasks import Row
from flywheel.settings.data_format import CsvLayout
from flywheel.settings.environment import FlywheelSettings

_TICKETS, _SEED = 400, 4
_ROWS_OF_A_LABEL = 20
_PLACES = ("today", "in a letter", "on the phone", "last week", "in a short note")


def write_sample(folder: Path, flywheel: FlywheelSettings) -> Path | None:
    """Write a flywheel's sample file, in the form that its uploads have, and return its path.

    None where an upload is always two files: documents with a list of entities.
    """
    if flywheel.entities_from == "list":
        return None
    is_recognizer = flywheel.task == "entities"
    path = folder / f"{flywheel.name}.{'jsonl' if is_recognizer else 'csv'}"
    if is_recognizer:
        attribute = flywheel.label_attribute or "entities"
        text = "".join(_manifest_lines(flywheel.entity_types or (), attribute))
    else:
        text = _table(_sample_rows(flywheel), flywheel.csv)
    path.write_text(text, "utf-8")
    return path


def _sample_rows(flywheel: FlywheelSettings) -> list[Row]:
    labels, shape = flywheel.labels or (), flywheel.shape()
    if not shape.is_multi_label and set(labels) == set(LABELS):
        return generate_tickets(_TICKETS, _SEED)
    pairs = [(label, _sentence(label, n)) for n in range(_ROWS_OF_A_LABEL) for label in labels]
    if not shape.is_multi_label:
        return pairs
    # Every other document has two labels: its own and the next one's.
    following = chain(pairs[1:], pairs[:1])
    return [
        (f"{label}{shape.delimiter}{other}", f"{text} {more}")
        if number % 2 and label != other
        else (label, text)
        for number, ((label, text), (other, more)) in enumerate(zip(pairs, following, strict=True))
    ]


def _sentence(label: str, number: int) -> str:
    return f"Sample {number + 1}: somebody wrote about {label} {_PLACES[number % len(_PLACES)]}."


def _table(rows: Sequence[Row], layout: CsvLayout) -> str:
    """Return rows as CSV with label and text where the flywheel's uploads have them."""
    named = [column for column in (layout.label, layout.text) if isinstance(column, str)]
    numbered = [column for column in (layout.label, layout.text) if isinstance(column, int)]
    width = max([2, *numbered])
    header = [f"column {n}" for n in range(1, width + 1)]
    free = [place for place in range(width) if place + 1 not in numbered]
    place_of: dict[int | str, int] = {column: column - 1 for column in numbered}
    place_of |= dict(zip(named, free, strict=False))
    for column in named:
        header[place_of[column]] = column
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=layout.sep, lineterminator="\n")
    if layout.header:
        writer.writerow(header)
    for label, text in rows:
        cells = [""] * width
        cells[place_of[layout.label]], cells[place_of[layout.text]] = label, text
        writer.writerow(cells)
    return table.getvalue()


def _manifest_lines(types: Sequence[str], attribute: str) -> Iterator[str]:
    """Yield an augmented manifest, one object per line: the only form that is a single file."""
    for number in range(_ROWS_OF_A_LABEL):
        for kind in types:
            beginning, mention = f"Sample {number + 1} names ", f"{kind.title()}{number + 1}"
            entity = {
                "label": kind,
                "startOffset": len(beginning),
                "endOffset": len(beginning) + len(mention),
            }
            row = {
                "source": f"{beginning}{mention} {_PLACES[number % len(_PLACES)]}.",
                attribute: {"annotations": {"entities": [entity]}},
                f"{attribute}-metadata": {"type": "groundtruth/text-span"},
            }
            yield json.dumps(row) + "\n"

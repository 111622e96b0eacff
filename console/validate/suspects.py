"""Suspected label errors of a file that is validated: which rows are looked at, and how it is told.

Decides that a suspicion is a suggestion: it refuses nothing, and shows no text. Read next:
`console.validate.suspected_labels` (the rule).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from rich.text import Text

from console.terminal import Terminal
from console.views.layout import plain_table
from flywheel.intake.labeled_rows import LabeledRow, labels_of
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.data_format import DataFormat

FEWEST_ROWS = 50
MOST_ROWS = 50_000
"""Of a longer file so many rows are drawn."""

_CHARACTERS_READ = 2_000
"""So much of each text is looked at."""

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row of the file: its line, its label, and what it looks like."""

    line: int
    label: str
    suggested: str
    score: float
    label_score: float


@dataclass(slots=True)
class Suspects:
    """What was found.

    Parameters
    ----------
    looked_at : int
        Rows that were judged; none where there is a reason.
    rows : int
        Rows of the file that could be used.
    found : list of Suspect
        The most certain first.
    reason : str
        Why rows were not looked at, or not all.
    """

    rows: int
    looked_at: int = 0
    found: list[Suspect] = field(default_factory=list)
    reason: str = ""
    is_interrupted: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {
            "looked_at": self.looked_at,
            "rows": self.rows,
            "reason": self.reason,
            "count": len(self.found),
            "suspects": [
                {
                    "line": each.line,
                    "label": each.label,
                    "suggested": each.suggested,
                    "score": round(each.score, 4),
                    "label_score": round(each.label_score, 4),
                }
                for each in self.found
            ],
        }


class Sample:
    """Some rows of a file, each as likely as any other; all of them where they are not many.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self.rows: list[tuple[int, LabeledRow]] = []
        self.seen = 0
        self._most = most
        self._random = Random(1)

    def take_all(self, rows: Iterable[tuple[int, LabeledRow]]) -> None:
        """Take rows with their lines."""
        for line, row in rows:
            self.seen += 1
            place = len(self.rows)
            if place >= self._most:
                place = self._random.randrange(self.seen)
                if place >= self._most:
                    continue
                self.rows[place] = _short(line, row)
            else:
                self.rows.append(_short(line, row))


def _short(line: int, row: LabeledRow) -> tuple[int, LabeledRow]:
    return line, LabeledRow(row.label, row.text[:_CHARACTERS_READ])


def look(terminal: Terminal, sample: Sample, shape: DataFormat) -> Suspects:
    """Look for labels that seem wrong, telling how far it is; Ctrl-C ends it early."""
    suspects = Suspects(sample.seen)
    if sample.seen < FEWEST_ROWS:
        suspects.reason = f"fewer than {FEWEST_ROWS} rows"
        return suspects
    with terminal.people.status("Looking for wrong labels: loading the learner") as status:
        try:
            _look(suspects, sample, shape, status.update)
        except KeyboardInterrupt:
            suspects.is_interrupted = True
            suspects.reason = "stopped before all rows were checked"
    suspects.found.sort(key=lambda each: (-each.score, each.label_score, each.line))
    return suspects


def _look(
    suspects: Suspects, sample: Sample, shape: DataFormat, tell: Callable[[str], None]
) -> None:
    # The learner takes a second to import, and many runs do without.
    from comprehend_engine.errors import IterationFailedError  # noqa: PLC0415 - as said above
    from console.validate import suspected_labels as rule  # noqa: PLC0415 - as said above

    lines = [line for line, _ in sample.rows]
    texts = [row.text for _, row in sample.rows]
    labels = [labels_of(row.label, shape) for _, row in sample.rows]
    tell("Looking for wrong labels")
    is_known = False
    try:
        for part in rule.suspicions(texts, labels, is_multi_label=shape.is_multi_label):
            is_known = True
            suspects.looked_at += part.looked_at
            suspects.found += [
                Suspect(
                    lines[each.row],
                    sample.rows[each.row][1].label,
                    each.suggested,
                    each.score,
                    each.given_score,
                )
                for each in part.found
            ]
            tell(f"Looking for wrong labels: {part.done} of {part.of} trainings done")
    except IterationFailedError as error:
        suspects.reason = str(error)
    if not is_known and not suspects.reason:
        suspects.reason = f"fewer than two labels have {rule.FEWEST_OF_LABEL} rows"
    elif sample.seen > len(texts) and not suspects.reason:
        suspects.reason = f"a sample of {number_of(len(texts), 'row')}"


def show_suspects(terminal: Terminal, suspects: Suspects) -> None:
    """Show people which labels look wrong."""
    if suspects.is_interrupted:
        terminal.print("Stopped looking for wrong labels; the report above is complete.", "yellow")
    if not suspects.looked_at:
        return
    count, of = len(suspects.found), f"{number_of(suspects.looked_at, 'row')} checked"
    if suspects.looked_at < suspects.rows:
        of = f"{suspects.looked_at:,} of {number_of(suspects.rows, 'row')} checked"
    if not count:
        terminal.print(f"No label looks wrong ({of}).")
        return
    rows = number_of(count, "label looks", "labels look")
    terminal.print()
    terminal.print(f"{rows} wrong to a model that has not seen the row ({of}):", "yellow")
    table = plain_table()
    table.add_column("line", justify="right", no_wrap=True)
    table.add_column("label", overflow="fold")
    table.add_column("looks like", overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    for each in suspects.found[:SHOWN]:
        cells = Text(shown(each.label)), Text(shown(each.suggested))
        table.add_row(f"{each.line:,}", *cells, f"{each.score:.2f}")
    terminal.show(table)
    if count > SHOWN:
        terminal.print(f"and {count - SHOWN:,} more; --json lists them all.")
    terminal.print(
        "This is a suggestion and refuses nothing; check these rows before you upload them."
    )

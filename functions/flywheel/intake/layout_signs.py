"""Whether the columns of a CSV file lie in another order, or are separated by another mark.

Decides it from the rows that no label could be read of. Where nearly all rows are such, one line
says what the file looks like; a line for each row would only repeat its text.
"""

from collections import Counter
from itertools import islice

from flywheel.intake.csv_messages import SEPARATORS, quoted, separated_by
from flywheel.intake.label_rules import LabelRules
from flywheel.intake.reports import Message
from flywheel.settings.data_format import CsvLayout

_NEARLY_ALL = 0.8
_DISTINCT = 0.5
_FEWEST_ROWS = 10
"""Of fewer rows it says nothing that they have different labels."""

_REMEMBERED, _EXAMPLES = 1000, 3


class LayoutSigns:
    """Counts what rows without a known label look like.

    Parameters
    ----------
    rules : LabelRules
    layout : CsvLayout
        What the flywheel's files should look like.
    """

    def __init__(self, rules: LabelRules, layout: CsvLayout) -> None:
        self._rules = rules
        self._layout = layout
        self._rows = self._swapped = 0
        self._separated: Counter[str] = Counter()
        self._first: dict[str, None] = {}

    def count(self, first: str, second: str | None = None) -> None:
        """Count a row that has no known label where it should be.

        Parameters
        ----------
        first : str
            What stands in the label's place; of a row with another number of columns its beginning.
        second : str, optional
            What stands in the text's place.
        """
        self._rows += 1
        if self._rows <= _REMEMBERED:
            self._first[first] = None
        self._swapped += second is not None and self._rules.is_known(second)
        for mark in SEPARATORS:
            if mark != self._layout.sep and mark in first:
                label = first.partition(mark)[0].strip().strip('"')
                self._separated[mark] += self._rules.is_known(label)

    def message(self, rows: int) -> Message | None:
        """Return what the file looks like, or None where it looks as it should.

        Parameters
        ----------
        rows : int
            All rows of the file.
        """
        nearly_all = max(1, _NEARLY_ALL * rows)
        if self._swapped >= nearly_all:
            return Message(self._swapped_words(rows))
        for mark, count in self._separated.most_common(1):
            if count >= nearly_all:
                return Message(separated_by(mark))
        are_distinct = len(self._first) >= _DISTINCT * min(self._rows, _REMEMBERED)
        if self._rows >= max(_FEWEST_ROWS, nearly_all) and are_distinct:
            return self._unlike(rows)
        return None

    def _swapped_words(self, rows: int) -> str:
        own = self._layout.is_services_own
        fix = (
            "flywheel convert FILE --label 2 --text 1 -o OUT"
            if own
            else "swap the file's columns, or csv.label and csv.text in the environment's file"
        )
        return (
            f"the columns look swapped: in {self._swapped:,} of {rows:,} rows the label stands in "
            f"the text's place. Fix: {fix}"
        )

    def _unlike(self, rows: int) -> Message:
        layout = self._layout
        words = (
            f"{self._rows:,} of {rows:,} rows have no label of the flywheel in the label's column, "
            "and most of these cells differ"
        )
        fix = (
            f"Fix: check that the label is in column {layout.label}, the text is in column "
            f"{layout.text}, and {layout.sep!r} separates the columns"
        )
        examples = ", ".join(quoted(first) for first in islice(self._first, _EXAMPLES))
        return Message(f"{words}. {fix}", f"{words} ({examples}, ...). {fix}")

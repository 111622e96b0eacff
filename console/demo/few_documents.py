"""The rows of the acts in which a gain is visible, unproven, and then proven.

Decides how their files are cut. The first model hardly knows one label; the next file brings it.
Few of the test documents have that label, so chance alone may explain the gain. That follows from
the counts alone. All other documents are for a later, larger test set.
Must not know how the acts are played. Read next: `console.demo.story` (the act) and
`flywheel.evaluation.advice` (what it is there to show).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from console.demo.tasks import Row
from console.environment.new_environment import FLYWHEEL_NAME_CHARACTERS, flywheel_name

TEST_DOCUMENTS = 30
"""As few as a policy takes by itself."""

_MOST_LABELS = 8
"""With more labels the test documents of each would be one or two."""

_SCARCE_TEST_DOCUMENTS = 3
"""To put all three right proves nothing: chance does so in 1 of 8 cases."""

LEAST_SCARCE_LATER = 10
"""As many more of the scarce label prove what three do not, even if some are answered wrongly."""

_FIRST_OF_TWO_LABELS = 2
"""Of the scarce label in the first file, where a model would have one other label alone."""

_MOST_OF_A_LABEL, LEAST_OF_A_LABEL = 60, 20


@dataclass(frozen=True, slots=True)
class FewDocuments:
    """What the act uploads, in this order.

    Parameters
    ----------
    scarce : str
        The label that the first model does not know, or hardly.
    labels : tuple of str
        All labels of the rows, sorted.
    test : tuple of Row, of shape (TEST_DOCUMENTS,)
    first : tuple of Row
    more : tuple of Row
        Of the scarce label alone.
    later_test : tuple of Row
        All other test documents of these labels; empty where too few would be added.
    """

    scarce: str
    labels: tuple[str, ...]
    test: tuple[Row, ...]
    first: tuple[Row, ...]
    more: tuple[Row, ...]
    later_test: tuple[Row, ...] = ()

    @property
    def first_of_scarce(self) -> int:
        """How many documents of the scarce label the first model is shown."""
        return sum(label == self.scarce for label, _ in self.first)


def few_documents(test: Iterable[Row], training: Iterable[Row]) -> FewDocuments | None:
    """Cut the act's files out of rows with one label each.

    Parameters
    ----------
    test, training : iterable of Row
        Where the act's test and training documents come from; a text that is in both trains
        nothing.

    Returns
    -------
    FewDocuments or None
        None where the rows are too few: it takes two labels of 20 training documents, and test
        documents enough.

    Examples
    --------
    >>> rows = [(label, f"{label} {n}") for n in range(99) for label in "AB"]
    >>> few = few_documents(rows[:60], rows[60:])
    >>> few.scarce, len(few.test), len(few.first), len(few.more)
    ('B', 30, 62, 58)
    """
    tested = {text: label for label, text in test}
    trained = {text: label for label, text in training if text not in tested}
    tests, trains = _by_label(tested), _by_label(trained)
    fit = [
        label
        for label, texts in trains.items()
        if len(texts) >= LEAST_OF_A_LABEL and len(tests[label]) >= _SCARCE_TEST_DOCUMENTS
    ]
    # The most frequent, and of them the least frequent is the scarce one.
    chosen = sorted(fit, key=lambda label: (-len(trains[label]), label))[:_MOST_LABELS]
    usual, scarce = chosen[:-1], chosen[-1:]
    others = list(_in_turns(tests, usual))[: TEST_DOCUMENTS - _SCARCE_TEST_DOCUMENTS]
    if len(others) < TEST_DOCUMENTS - _SCARCE_TEST_DOCUMENTS:
        return None
    few = (*others, *tests[scarce[0]][:_SCARCE_TEST_DOCUMENTS])
    later = [row for row in _in_turns(tests, chosen) if row not in few]
    is_enough = sum(label == scarce[0] for label, _ in later) >= LEAST_SCARCE_LATER
    bring = list(_in_turns(trains, scarce))[:_MOST_OF_A_LABEL]
    shown_first = 0 if len(usual) > 1 else _FIRST_OF_TWO_LABELS
    return FewDocuments(
        scarce=scarce[0],
        labels=tuple(sorted(chosen)),
        test=few,
        first=(
            *(row for label in usual for row in trains[label][:_MOST_OF_A_LABEL]),
            *bring[:shown_first],
        ),
        more=tuple(bring[shown_first:]),
        later_test=tuple(later) if is_enough else (),
    )


def few_flywheel(name: str) -> str:
    """Return the name of the act's flywheel beside another.

    Examples
    --------
    >>> few_flywheel("tickets")
    'tickets-few'
    """
    return f"{flywheel_name(name[: FLYWHEEL_NAME_CHARACTERS - len('-few')])}-few"


def _by_label(label_of: dict[str, str]) -> defaultdict[str, list[Row]]:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for text, label in label_of.items():
        rows[label].append((label, text))
    return rows


def _in_turns(rows: dict[str, list[Row]], labels: Sequence[str]) -> Iterator[Row]:
    """Yield the first row of each label, then the second of each, as long as there are any."""
    for turn in zip_longest(*(rows[label] for label in labels)):
        yield from (row for row in turn if row is not None)

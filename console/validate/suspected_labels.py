"""Which labels of a file look wrong: what a model says of rows that it has not seen.

Decides the rule. The rows are divided into five parts, and the engine's own learner is trained on
four and asked about the fifth, in turn; of few rows twice. A row is suspected where another label
is as good as certain and its own less likely than by drawing lots: few suspicions, and most of them
right, since people look at each. Reads no file. Read next: `console.validate.suspects`, which
tells.

Notes
-----
*Source*: Brodley and Friedl 1999 (errors found by what other rows teach); Northcutt, Jiang and
Chuang 2021 (calibrated scores out of fold).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from comprehend_engine.learning.classifier import train_classifier
from comprehend_engine.tasks import MULTI_CLASS, MULTI_LABEL

PARTS = 5
FEWEST_OF_LABEL = 10
"""A label with fewer rows is neither suspected nor suggested: too few to know it by."""

_SURE = 0.75
"""Least score of a label that is suggested."""

_OF_LOTS = 0.2
"""A label is suspected whose score is at most so much of 1 in the number of labels."""

_FEW, _ROUNDS_OF_FEW = 5_000, 2
"""Of fewer rows a model learns less, so a second division into parts must suspect the row, too."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A row whose label looks wrong.

    Parameters
    ----------
    row : int
        Its place among the rows.
    suggested : str
        The label that it looks like.
    score : float
        How likely that label is.
    given_score : float
        How likely the row's own label is; of several, the likeliest.
    """

    row: int
    suggested: str
    score: float
    given_score: float


@dataclass(frozen=True, slots=True)
class Part:
    """What one training gave.

    Parameters
    ----------
    done, of : int
        How many trainings are behind, of how many.
    looked_at : int
        Rows that were judged for good by it.
    found : list of Suspicion
        Those of them that are suspected.
    """

    done: int
    of: int
    looked_at: int
    found: list[Suspicion]


def suspicions(
    texts: Sequence[str], labels: Sequence[Sequence[str]], *, is_multi_label: bool
) -> Iterator[Part]:
    """Yield suspicions as they are found; nothing where labels have too few rows.

    Parameters
    ----------
    texts : sequence of str
    labels : sequence of sequences of str
        Of each text; exactly one unless `is_multi_label`.

    Raises
    ------
    IterationFailedError
        No text has a word to learn from.
    """
    counts = Counter(label for each in labels for label in each)
    known = {label for label, count in counts.items() if count >= FEWEST_OF_LABEL}
    usable = [place for place, each in enumerate(labels) if each and known.issuperset(each)]
    if len({label for place in usable for label in labels[place]}) < _FEWEST_LABELS:
        return
    rounds = _ROUNDS_OF_FEW if len(usable) < _FEW else 1
    mode = MULTI_LABEL if is_multi_label else MULTI_CLASS
    earlier: dict[int, Suspicion] | None = None
    for number in range(rounds):
        order = np.random.default_rng(number).permutation(usable).tolist()
        found: dict[int, Suspicion] = {}
        for part in range(PARTS):
            held_out = order[part::PARTS]
            rest = [row for other in range(PARTS) if other != part for row in order[other::PARTS]]
            model = train_classifier(
                [texts[row] for row in rest],
                [labels[row] for row in rest],
                mode=mode,
                seed=number,
            )
            scores = model.scores([texts[row] for row in held_out])
            numbers = {label: place for place, label in enumerate(model.labels)}
            here = [
                each
                for each in _judged(held_out, labels, scores, numbers)
                if earlier is None or each.row in earlier
            ]
            found |= {each.row: each for each in here}
            is_last = number == rounds - 1
            yield Part(
                number * PARTS + part + 1,
                rounds * PARTS,
                len(held_out) if is_last else 0,
                here if is_last else [],
            )
        earlier = found


def _judged(
    rows: Sequence[int],
    labels: Sequence[Sequence[str]],
    scores: npt.NDArray[np.float64],
    numbers: dict[str, int],
) -> Iterator[Suspicion]:
    """Yield the suspected ones of some rows."""
    names = list(numbers)
    unlikely = _OF_LOTS / len(names)
    for row, score in zip(rows, scores, strict=True):
        given = [numbers[label] for label in labels[row] if label in numbers]
        if len(given) < len(labels[row]):
            continue
        own = float(score[given].max())
        score[given] = -1
        best = int(score.argmax())
        if score[best] >= _SURE and own <= unlikely:
            yield Suspicion(row, names[best], float(score[best]), own)


_FEWEST_LABELS = 2

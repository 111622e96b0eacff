"""What the training texts say about texts the decision has not seen.

Decides which texts are held out, and by them whether character sequences are worth looking at.
The fit of the last part held out goes on with all texts, so nothing is fitted twice. Knows no
probabilities. Read next: `local.comprehend.learning.calibration`.
"""

from dataclasses import dataclass

import numpy as np

from local.comprehend.learning.calibration import Has
from local.comprehend.learning.counting import Floats, Places
from local.comprehend.learning.decision import Decision, Fitting, Targets
from local.comprehend.learning.features import Rows

PASSES = 5
"""Walks over the texts before they judge what is held out."""

LAST_PASSES = 3
"""Walks over all texts after that."""

FOLDS = 5
MOST_HELD_OUT = 10_000
ENOUGH_HELD_OUT = 1_500


@dataclass(frozen=True, slots=True)
class Validated:
    """A decision fitted to all texts, and what it said of texts while they were held out.

    Parameters
    ----------
    width : int
        How many features were looked at.
    decision : Decision
        The decision.
    margins, has : array of shape (n_held_out, n_labels)
        Margins of texts held out, and their labels.
    """

    width: int
    decision: Decision
    margins: Floats
    has: Has


def validated(rows: Rows, words: int, targets: Targets, *, seed: int) -> Validated:
    """Fit a decision to all texts, to their words alone where sequences do not help.

    Parameters
    ----------
    rows : Rows
        The texts, columns of words before those of character sequences.
    words : int
        How many columns are words.
    targets : Targets
        Their labels.
    seed : int
        Same texts and seed, same decision.
    """
    texts = len(rows.beginnings) - 1
    order = np.random.default_rng(seed).permutation(texts)
    size = max(1, min(texts // FOLDS, MOST_HELD_OUT))
    folds = [
        order[n * size : (n + 1) * size] for n in range(min(FOLDS, -(-ENOUGH_HELD_OUT // size)))
    ]
    has = targets.of(np.concatenate(folds))
    fitting, margins = _held_out(rows, targets, folds, seed)
    if words < rows.width:
        plain = rows.narrowed(words)
        other, other_margins = _held_out(plain, targets, folds, seed)
        if _is_better(other_margins, margins, has):
            rows, fitting, margins = plain, other, other_margins
    fitting.go_on(np.arange(texts), passes=LAST_PASSES)
    return Validated(rows.width, fitting.decision, margins, has)


def _held_out(
    rows: Rows, targets: Targets, folds: list[Places], seed: int
) -> tuple[Fitting, Floats]:
    texts = np.arange(len(rows.beginnings) - 1)
    margins = []
    for fold in folds:
        fitting = Fitting(rows, targets, seed=seed)
        fitting.go_on(np.setdiff1d(texts, fold), passes=PASSES)
        margins.append(fitting.decision.margins(rows, fold))
    return fitting, np.concatenate(margins)


def _is_better(one: Floats, other: Floats, has: Has) -> bool:
    """Whether the likeliest label is right more often, by more than chance would have it."""
    ahead = _hits(one, has).astype(np.int64) - _hits(other, has)
    return bool(ahead.sum() > np.sqrt(np.abs(ahead).sum()))


def _hits(margins: Floats, has: Has) -> Has:
    return np.asarray(has[np.arange(len(has)), margins.argmax(axis=1)])

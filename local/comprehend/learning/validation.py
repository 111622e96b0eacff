"""What the training texts say about texts the decision has not seen.

Decides which texts are held out, and by them how much character sequences are worth: a decision by
words alone is blended in where that is right more often, which costs nothing afterwards because
both are linear. The fit of the last part held out goes on with all texts, so nothing starts
twice. Knows no probabilities. Read next: `local.comprehend.learning.calibration`.
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

WORD_SHARES = (0.0, 0.25, 0.5, 1.0)
"""How much a decision by words alone may count beside one by words and character sequences."""

FOLDS = 5
MOST_HELD_OUT = 10_000
ENOUGH_HELD_OUT = 1_500
ENOUGH_HELD_OUT_OF_MANY = 8_000
"""Where a document may have many labels, each has a threshold, and a rare one needs examples."""


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
    """Fit a decision to all texts.

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
    enough = ENOUGH_HELD_OUT if targets.is_exclusive else ENOUGH_HELD_OUT_OF_MANY
    parts = min(FOLDS, -(-enough // size))
    folds = [order[part * size : (part + 1) * size] for part in range(parts)]
    has = targets.of(np.concatenate(folds))
    everything = np.arange(texts)
    fitting, margins = _held_out(rows, targets, folds, seed)
    if words == rows.width:
        fitting.go_on(everything, passes=LAST_PASSES)
        return Validated(words, fitting.decision, margins, has)
    plain = rows.narrowed(words)
    other, other_margins = _held_out(plain, targets, folds, seed)
    blends = {share: _mixed(margins, other_margins, share) for share in WORD_SHARES}
    share = max(blends, key=lambda each: int(_hits(blends[each], has).sum()))
    if share > 0:
        other.go_on(everything, passes=LAST_PASSES)
    if share < 1:
        fitting.go_on(everything, passes=LAST_PASSES)
        decision = fitting.decision.blended(other.decision, share) if share else fitting.decision
        return Validated(rows.width, decision, blends[share], has)
    return Validated(words, other.decision, blends[share], has)


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


def _mixed(margins: Floats, other: Floats, share: float) -> Floats:
    return margins * np.float32(1 - share) + other * np.float32(share)


def _hits(margins: Floats, has: Has) -> Has:
    """Return where the likeliest label is right."""
    return np.asarray(has[np.arange(len(has)), margins.argmax(axis=1)])

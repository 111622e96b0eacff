"""What the training texts say about texts the decision has not seen.

Decides which texts are held out, and by them how much a decision by words alone, and then what
features say by themselves, count beside the decision by all features. All are linear, so blending
costs nothing afterwards. A share other than the usual must be right more often than chance
explains. The fit of the last part held out goes on with all texts, so nothing starts twice.
Knows no probabilities. Read next: `local.comprehend.learning.naive_bayes`, `calibration`.
"""

from dataclasses import dataclass

import numpy as np

from local.comprehend.learning.arrays import Floats, Places
from local.comprehend.learning.calibration import Has
from local.comprehend.learning.decision import Decision, Fitting, Targets
from local.comprehend.learning.features import Rows
from local.comprehend.learning.naive_bayes import naive_bayes

PASSES = 5
"""Walks over the texts before they judge what is held out."""

LAST_PASSES = 3
"""Walks over all texts after that."""

WORD_SHARES = (0.0, 0.25, 0.5, 1.0)
"""How much a decision by words alone may count beside one by words and character sequences, the
usual first."""

BAYES_SHARES = (1 / 5, 0.0, 1 / 3, 1 / 2)
"""How much what features say by themselves may count beside what was fitted, the usual first."""

_LEAST_SPREAD = 1e-6

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
    share = 0.0
    if words < rows.width:
        plain = rows.narrowed(words)
        other, other_margins = _held_out(plain, targets, folds, seed)
        share = _share(margins, other_margins, has, WORD_SHARES)
        margins = _mixed(margins, other_margins, share)
        if share == 1:
            rows, fitting = plain, other
        elif share > 0:
            other.go_on(everything, passes=LAST_PASSES)
    fitting.go_on(everything, passes=LAST_PASSES)
    if 0 < share < 1:
        fitting.decision.blend(other.decision, share)
    margins = _seconded(rows, targets, folds, fitting.decision, margins)
    return Validated(rows.width, fitting.decision, margins, has)


def _seconded(
    rows: Rows, targets: Targets, folds: list[Places], decision: Decision, margins: Floats
) -> Floats:
    """Blend what features say by themselves into a decision; return the margins of both."""
    everything = np.arange(len(rows.beginnings) - 1)
    has = targets.of(np.concatenate(folds))
    other = np.concatenate(
        [
            naive_bayes(rows, targets, np.setdiff1d(everything, fold)).margins(rows, fold)
            for fold in folds
        ]
    )
    scale = _spread(margins) / max(_spread(other), _LEAST_SPREAD)
    other *= np.float32(scale)
    share = _share(margins, other, has, BAYES_SHARES)
    if share > 0:
        decision.blend(naive_bayes(rows, targets, everything), share, scale)
    return _mixed(margins, other, share)


def _share(margins: Floats, other: Floats, has: Has, shares: tuple[float, ...]) -> float:
    """Return the share that is right most often, the first one unless more than by chance."""
    hits = {share: _hits(_mixed(margins, other, share), has) for share in shares}
    usual = hits[shares[0]]
    gains = {
        share: int(each.sum()) - int(usual.sum()) - np.sqrt(np.sum(each != usual))
        for share, each in hits.items()
    }
    return max(shares, key=gains.__getitem__)


def _spread(margins: Floats) -> float:
    return float((margins - margins.mean(axis=0)).std())


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

"""The second opinion: what each feature says of each label by itself, as naive Bayes has it.

Decides the weights: log odds of a label given a feature, beside those of the label anyway, drawn
towards no difference where the feature is rare. Takes one walk over the texts. From few or short
texts a fitted machine also learns what they combine by chance; this cannot, so both together are
right more often. Linear too, so that the two become one. Read next:
`local.comprehend.learning.calibration`.
"""

import numpy as np

from local.comprehend.learning.arrays import Floats, Numbers, Places
from local.comprehend.learning.compiled import compiled
from local.comprehend.learning.decision import Block, Decision, Targets, bounds
from local.comprehend.learning.features import Rows

FAITH = np.float32(1)
"""How much of a feature says by itself that it says nothing, in the currency of its weights."""


def naive_bayes(rows: Rows, targets: Targets, chosen: Places) -> Decision:
    """Count what the chosen texts say; their margins are zero on average."""
    blocks = []
    for first, last in bounds(targets):
        weights = np.zeros((rows.width, last - first), np.float32)
        whole = np.zeros(rows.width, np.float32)
        _sum_up(
            rows.beginnings, rows.columns, rows.values, chosen,
            targets.beginnings, targets.numbers, first, weights, whole,
        )  # fmt: skip
        shares = ((weights.sum(axis=0) + 1) / (whole.sum() + 2)).astype(np.float32)
        _to_log_odds(weights, whole, shares, np.empty_like(shares))
        # Not by a library of matrices, whose sums depend on how many threads it has.
        total = np.einsum("f,fl->l", whole, weights, dtype=np.float64)
        blocks.append(Block(first, weights, (-total / len(chosen)).astype(np.float32)))
    return Decision(tuple(blocks), targets.labels)


@compiled("i8[::1], i4[::1], f4[::1], i8[::1], i8[::1], i4[::1], i8, f4[:, ::1], f4[::1]")
def _sum_up(  # noqa: PLR0917 - compiled functions take no keywords
    beginnings: Places,
    columns: Numbers,
    values: Floats,
    order: Places,
    target_beginnings: Places,
    targets: Numbers,
    first: int,
    weights: Floats,
    whole: Floats,
) -> None:
    """Add up each feature's weights, in the texts of each label and in all."""
    for text in order:
        for entry in range(beginnings[text], beginnings[text + 1]):
            whole[columns[entry]] += values[entry]
        for target in range(target_beginnings[text], target_beginnings[text + 1]):
            label = targets[target] - first
            if label >= 0 and label < weights.shape[1]:
                for entry in range(beginnings[text], beginnings[text + 1]):
                    weights[columns[entry], label] += values[entry]


@compiled("f4[:, ::1], f4[::1], f4[::1], f4[::1]", reorders_sums=True)
def _to_log_odds(weights: Floats, whole: Floats, shares: Floats, usual: Floats) -> None:
    for label in range(shares.shape[0]):
        usual[label] = np.log(shares[label] / (np.float32(1) - shares[label]))
    for feature in range(weights.shape[0]):
        for label in range(weights.shape[1]):
            inside = weights[feature, label]
            outside = max(whole[feature] - inside, np.float32(0))
            inside += FAITH * shares[label]
            outside += FAITH * (np.float32(1) - shares[label])
            weights[feature, label] = np.log(inside / outside) - usual[label]

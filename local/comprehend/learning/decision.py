"""The decision: one linear support vector machine a label, all fitted in one walk over the texts.

Decides the loss (squared hinge against all other labels, as liblinear's, C = 1), how it is
minimised (dual coordinate ascent), and that two threads fit half of many labels each. The halves
share nothing but the texts, so the outcome does not depend on who runs them. Read next:
`local.comprehend.learning.validation`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.comprehend.learning.arrays import Floats, Numbers, Places
from local.comprehend.learning.compiled import compiled, inlined
from local.comprehend.learning.features import Rows

FEWEST_LABELS_HALVED = 8
"""With fewer labels a half is too narrow for the processor to add its numbers at once."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The labels of texts, as numbers: a sparse matrix, row after row.

    Parameters
    ----------
    beginnings : array of shape (n_texts + 1,)
        Where the labels of each text begin.
    numbers : array of shape (n_entries,)
        The labels.
    labels : int
        How many labels there are.
    is_exclusive : bool
        Whether each text has exactly one.
    """

    beginnings: Places
    numbers: Numbers
    labels: int
    is_exclusive: bool

    def of(self, chosen: Places) -> npt.NDArray[np.bool_]:
        """Return which labels the chosen texts have, of shape (n_chosen, n_labels)."""
        has = np.zeros((len(chosen), self.labels), np.bool_)
        lengths = np.diff(self.beginnings)[chosen]
        entries = np.repeat(self.beginnings[chosen], lengths)
        within = np.arange(len(entries)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        has[np.repeat(np.arange(len(chosen)), lengths), self.numbers[entries + within]] = True
        return has


@dataclass(frozen=True, slots=True)
class Block:
    """The machines of neighbouring labels.

    Parameters
    ----------
    first : int
        The number of the first label.
    weights : array of shape (n_features, n_block_labels)
        Normals.
    offsets : array of shape (n_block_labels,)
        Offsets.
    """

    first: int
    weights: Floats
    offsets: Floats

    def blend(self, other: "Block", share: float, scale: float) -> None:
        """Become so much of another block, scaled, and the rest of this; the other is used up.

        The other may know the first features alone. Nothing is copied: weights own the memory.
        """
        _blend(self.weights, other.weights, share, scale)
        _blend(self.offsets, other.offsets, share, scale)


@dataclass(frozen=True, slots=True)
class Decision:
    """A fitted decision, in one block or two."""

    blocks: tuple[Block, ...]
    labels: int

    def blend(self, other: "Decision", share: float, scale: float = 1) -> None:
        """Become one whose margins are so much of another's, scaled, the rest of this one's.

        The other is used up.
        """
        for mine, its in zip(self.blocks, other.blocks, strict=True):
            mine.blend(its, share, scale)

    def margins(self, rows: Rows, chosen: Places | None = None) -> Floats:
        """Return how far each text is on each label's side, of shape (n_texts, n_labels)."""
        if chosen is None:
            chosen = np.arange(len(rows.beginnings) - 1)
        found = np.zeros((len(chosen), self.labels), np.float32)
        for block in self.blocks:
            sides = np.empty((len(chosen), len(block.offsets)), np.float32)
            _add_up(
                rows.beginnings, rows.columns, rows.values, chosen,
                block.weights, block.offsets, sides,
            )  # fmt: skip
            found[:, block.first : block.first + len(block.offsets)] = sides
        if _is_single(self.labels, self.blocks[0].first):
            found[:, 0] = -found[:, 1]
        return found


class Fitting:
    """A decision while it is fitted; more texts can be added as it goes on.

    Parameters
    ----------
    rows : Rows
        All texts.
    targets : Targets
        Their labels.
    seed : int
        The order in which texts are looked at.
    """

    def __init__(self, rows: Rows, targets: Targets, *, seed: int) -> None:
        self._rows = rows
        self._targets = targets
        self._order = np.random.default_rng(seed)
        self._pulls: list[Floats] = []
        blocks = []
        for first, last in bounds(targets):
            blocks.append(
                Block(
                    first,
                    np.zeros((rows.width, last - first), np.float32),
                    np.zeros(last - first, np.float32),
                )
            )
            self._pulls.append(np.zeros((len(rows.beginnings) - 1, last - first), np.float32))
        self.decision = Decision(tuple(blocks), targets.labels)
        self._steps = np.empty(len(rows.beginnings) - 1, np.float32)
        _step_lengths(rows.beginnings, rows.values, self._steps)

    def go_on(self, chosen: Places, *, passes: int) -> None:
        """Walk over the chosen texts so many times."""
        orders = [self._order.permutation(chosen) for _ in range(passes)]
        with ThreadPoolExecutor(len(self._pulls)) as threads:
            list(threads.map(self._walk, self.decision.blocks, self._pulls, [orders] * 2))

    def _walk(self, block: Block, pulls: Floats, orders: Sequence[Places]) -> None:
        sides, wanted = np.empty_like(block.offsets), np.empty_like(block.offsets)
        for order in orders:
            _walk(
                self._rows.beginnings, self._rows.columns, self._rows.values, self._steps, order,
                self._targets.beginnings, self._targets.numbers, block.first,
                block.weights, block.offsets, pulls, sides, wanted,
            )  # fmt: skip


def _blend(mine: Floats, its: Floats, share: float, scale: float) -> None:
    mine *= np.float32(1 - share)
    its *= np.float32(share * scale)
    mine[: len(its)] += its


def _is_single(labels: int, first: int) -> bool:
    """Whether one machine tells two labels apart: that of the second, and there is no first."""
    return labels == 2 and first == 1  # noqa: PLR2004 - two labels


def bounds(targets: Targets) -> list[tuple[int, int]]:
    """Return the first label of each block, and the one after its last."""
    if targets.is_exclusive and targets.labels == 2:  # noqa: PLR2004 - two labels
        return [(1, 2)]
    if targets.labels < FEWEST_LABELS_HALVED:
        return [(0, targets.labels)]
    return [(0, targets.labels // 2), (targets.labels // 2, targets.labels)]


_SLACK = np.float32(0.5)
"""1 / 2C."""


@compiled("i8[::1], f4[::1], f4[::1]")
def _step_lengths(beginnings: Places, values: Floats, steps: Floats) -> None:
    for text in range(steps.shape[0]):
        # The offset is a feature of weight one that every text has.
        length = np.float32(1)
        for entry in range(beginnings[text], beginnings[text + 1]):
            length += values[entry] * values[entry]
        steps[text] = np.float32(1) / (length + _SLACK)


@inlined
def _add(  # noqa: PLR0917 - compiled functions take no keywords
    columns: Numbers, values: Floats, begin: int, end: int, weights: Floats, sides: Floats
) -> None:
    """Add a text's weights to its sides."""
    if sides.shape[0] == 1:
        side = sides[0]
        for entry in range(begin, end):
            side += values[entry] * weights[columns[entry], 0]
        sides[0] = side
        return
    for entry in range(begin, end):
        value = values[entry]
        column = columns[entry]
        for label in range(sides.shape[0]):
            sides[label] += value * weights[column, label]


@inlined
def _move(  # noqa: PLR0917 - compiled functions take no keywords
    columns: Numbers, values: Floats, begin: int, end: int, weights: Floats, by: Floats
) -> None:
    """Move the weights of a text's features."""
    if by.shape[0] == 1:
        for entry in range(begin, end):
            weights[columns[entry], 0] += values[entry] * by[0]
        return
    for entry in range(begin, end):
        value = values[entry]
        column = columns[entry]
        for label in range(by.shape[0]):
            weights[column, label] += value * by[label]


@compiled(
    "i8[::1], i4[::1], f4[::1], f4[::1], i8[::1], i8[::1], i4[::1], i8,"
    "f4[:, ::1], f4[::1], f4[:, ::1], f4[::1], f4[::1]",
    reorders_sums=True,
)
def _walk(  # noqa: PLR0917 - compiled functions take no keywords
    beginnings: Places,
    columns: Numbers,
    values: Floats,
    steps: Floats,
    order: Places,
    target_beginnings: Places,
    targets: Numbers,
    first: int,
    weights: Floats,
    offsets: Floats,
    pulls: Floats,
    sides: Floats,
    wanted: Floats,
) -> None:
    """Give each text in turn the pull on the normals that is best with all others as they are."""
    labels = offsets.shape[0]
    for text in order:
        for label in range(labels):
            sides[label] = offsets[label]
            wanted[label] = -1
        for entry in range(target_beginnings[text], target_beginnings[text + 1]):
            label = targets[entry] - first
            if label >= 0 and label < labels:
                wanted[label] = 1
        _add(columns, values, beginnings[text], beginnings[text + 1], weights, sides)
        moved = np.float32(0)
        for label in range(labels):
            old = pulls[text, label]
            slope = wanted[label] * sides[label] - np.float32(1) + _SLACK * old
            new = max(old - slope * steps[text], np.float32(0))
            pulls[text, label] = new
            sides[label] = wanted[label] * (new - old)
            moved += abs(new - old)
        if moved > 0:
            for label in range(labels):
                offsets[label] += sides[label]
            _move(columns, values, beginnings[text], beginnings[text + 1], weights, sides)


@compiled(
    "i8[::1], i4[::1], f4[::1], i8[::1], f4[:, ::1], f4[::1], f4[:, ::1]",
    reorders_sums=True,
)
def _add_up(  # noqa: PLR0917 - compiled functions take no keywords
    beginnings: Places,
    columns: Numbers,
    values: Floats,
    order: Places,
    weights: Floats,
    offsets: Floats,
    sides: Floats,
) -> None:
    for place in range(order.shape[0]):
        text = order[place]
        for label in range(offsets.shape[0]):
            sides[place, label] = offsets[label]
        _add(columns, values, beginnings[text], beginnings[text + 1], weights, sides[place])

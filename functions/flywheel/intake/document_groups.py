"""Which test documents belong together: a thread, an author, near duplicates.

Documents of one group are right or wrong together, so a group counts as one observation. Decides
what makes a group. Pure. Read next: `flywheel.evaluation.resampling` (what groups do to chance),
`flywheel.evaluation.evidence` (what a test set is worth).
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from flywheel.intake.labeled_rows import LabeledRow, text_key

Grouped = Literal["none", "named", "near duplicates"]
"""What made the groups: nothing, the rows themselves, or texts that are nearly the same."""

_FEW_NEAR_DUPLICATES = 0.05
"""Up to this part of the documents, near duplicates count as independent."""

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Grouping:
    """The group of each document.

    Parameters
    ----------
    groups : sequence of int
        A number per document; documents of one group share it.
    grouped : {"none", "named", "near duplicates"}
    """

    groups: Sequence[int]
    grouped: Grouped


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many groups a test set has.

    Parameters
    ----------
    groups : int
        Those with a label or a mention.
    label_groups : Counter of str
        Those with the label, or with a mention of the type.
    """

    groups: int
    label_groups: Counter[str]


def group_documents(rows: Iterable[LabeledRow]) -> Grouping:
    """Return the group of each row.

    Rows that name a group form it. Where no row does, rows whose texts differ only in case, digits
    and blanks form one, if they are more than 5 % of all.

    Examples
    --------
    >>> rows = [LabeledRow("A", "Order 17"), LabeledRow("A", "order  18"), LabeledRow("B", "Hello")]
    >>> group_documents(rows).groups
    [0, 0, 1]
    """
    keys: list[object] = []
    folded: list[bytes] = []
    is_named = False
    for number, row in enumerate(rows):
        is_named = is_named or bool(row.group)
        keys.append(row.group or number)
        folded.append(text_key(_folded(row.text)))
    if is_named:
        return Grouping(_numbered(keys), "named")
    near = sum(count for count in Counter(folded).values() if count > 1)
    if near > _FEW_NEAR_DUPLICATES * len(folded):
        return Grouping(_numbered(folded), "near duplicates")
    return Grouping(range(len(keys)), "none")


def count_groups(groups: Sequence[int], labels: Iterable[Collection[str]]) -> GroupCounts:
    """Count groups, and the groups of each label.

    Parameters
    ----------
    groups : sequence of int
    labels : iterable of collection of str
        Labels of each document, or types of its mentions; nothing for a document without any.

    Examples
    --------
    >>> count_groups([0, 0, 1, 2], [["A"], ["B"], ["A"], []])
    GroupCounts(groups=2, label_groups=Counter({'A': 2, 'B': 1}))
    """
    pairs = {(label, group) for group, each in zip(groups, labels, strict=True) for label in each}
    return GroupCounts(
        len({group for _, group in pairs}), Counter(label for label, _ in sorted(pairs))
    )


def _folded(text: str) -> str:
    return " ".join(_DIGITS.sub("0", text.casefold()).split())


def _numbered(keys: Sequence[object]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]

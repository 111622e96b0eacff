"""Which training rows become test rows when a test set is carved out of them.

Decides by the hash of the text, label by label, so that the same rows are chosen whatever file
they are in and in whatever order. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable

from flywheel.labeled_documents import Row, text_key


def split_texts(rows: Iterable[Row], fraction: float) -> set[bytes]:
    """Return `text_key` of the rows that become test rows.

    Parameters
    ----------
    rows : iterable of Row
    fraction : float in (0, 1)
        Of each label's distinct texts, at least one and never all; a label's only row stays where
        it is.

    Examples
    --------
    >>> rows = [Row("A", str(number)) for number in range(10)] + [Row("B", "only")]
    >>> len(split_texts(rows, 0.2)), text_key("only") in split_texts(rows, 0.2)
    (2, False)
    """
    by_label: dict[str, set[bytes]] = defaultdict(set)
    for row in rows:
        by_label[row.label].add(text_key(row.text))
    chosen: set[bytes] = set()
    for texts in by_label.values():
        wanted = min(max(1, round(len(texts) * fraction)), len(texts) - 1)
        chosen.update(sorted(texts)[:wanted])
    return chosen

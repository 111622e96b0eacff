"""Which training rows become test rows when a test set is carved out of them.

Decides by the hash of the text, label by label, so that the same rows are chosen whatever file
they are in and in whatever order. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from flywheel.intake.labeled_documents import Row, text_key
from flywheel.intake.row_labels import labels_of
from flywheel.settings.data_format import DataFormat


def split_texts(rows: Iterable[Row], fraction: float, shape: DataFormat) -> set[bytes]:
    """Return `text_key` of the rows that become test rows.

    Parameters
    ----------
    rows : iterable of Row
    fraction : float in (0, 1)
        Of each label's distinct texts, at least one and never all; a label's only row stays where
        it is. A row with several labels counts for the rarest of them.
    shape : DataFormat
        Of the rows.

    Examples
    --------
    >>> rows = [Row("A", str(number)) for number in range(10)] + [Row("B", "only")]
    >>> texts = split_texts(rows, 0.2, DataFormat())
    >>> len(texts), text_key("only") in texts
    (2, False)
    """
    labels_by_text = {text_key(row.text): labels_of(row.label, shape) for row in rows}
    frequency = Counter(label for labels in labels_by_text.values() for label in labels)
    strata: dict[str, list[bytes]] = defaultdict(list)
    for text, labels in labels_by_text.items():
        strata[min(labels, key=lambda label: (frequency[label], label), default="")].append(text)
    chosen: set[bytes] = set()
    for texts in strata.values():
        wanted = min(max(1, round(len(texts) * fraction)), len(texts) - 1)
        chosen.update(sorted(texts)[:wanted])
    return chosen

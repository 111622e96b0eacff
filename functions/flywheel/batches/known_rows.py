r"""Which rows a flywheel holds already: hashes of their content, one segment per batch.

Decides how a row is identified, whatever file and month it comes from: by its text, and then its
label. A segment is written once, when its batch is sealed. A seal reads all segments as a stream
and remembers only the texts of its own rows, so memory follows the batch and not the flywheel. An
upload costs the same whatever is known, since only seals read segments. Pure: bytes come in.

Examples
--------
>>> segment = b"".join(map(record, [LabeledRow("A", "one"), LabeledRow("B", "two")]))
>>> len(segment), known_among({text_key("two")}, [segment]) == {text_key("two"): label_key("B")}
(48, True)
"""

import hashlib
from collections.abc import Iterable, Iterator, Set

from flywheel.intake.labeled_rows import LabeledRow, text_key

_TEXT_BYTES, _LABEL_BYTES = 16, 8
_GROUP_BYTES = 4
"""How much of a label's bytes stands for the group, where a row has one."""
RECORD_BYTES = _TEXT_BYTES + _LABEL_BYTES
"""One row of a segment: `text_key` and `label_key`, in which a group shows."""


def label_key(label: str) -> bytes:
    """Return what identifies a label: 8 bytes of its hash."""
    return hashlib.blake2b(label.encode(), digest_size=_LABEL_BYTES).digest()


def rows_key(segment: str) -> str:
    """Return where the rows of a TEST segment are kept, in canonical form, beside it."""
    return f"{segment.removesuffix('.bin')}.csv"


def is_label_of(known: bytes, label: str) -> bool:
    """Return whether a known row has this label, whatever its group is.

    Examples
    --------
    >>> (_, known), = records([record(LabeledRow("A", "one", "thread 7"))])
    >>> is_label_of(known, "A"), is_label_of(known, "B"), known == label_key("A")
    (True, False, False)
    """
    return known[:-_GROUP_BYTES] == label_key(label)[:-_GROUP_BYTES]


def record(row: LabeledRow) -> bytes:
    """Return a row as a segment holds it; its group, if it has one, changes the label's bytes."""
    label = label_key(row.label)
    if row.group:
        label = label[:-_GROUP_BYTES] + label_key(f"{row.label}\0{row.group}")[-_GROUP_BYTES:]
    return text_key(row.text) + label


def known_among(texts: Set[bytes], segments: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return those of the texts that are in the segments, each with its label's bytes.

    Parameters
    ----------
    texts : set of bytes
        `text_key` of the rows in question.
    segments : iterable of bytes
        Whole segments or pieces of any size, in order.
    """
    found: dict[bytes, bytes] = {}
    for text, label in records(segments):
        if text in texts:
            found.setdefault(text, label)
    return found


def records(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield `text_key` and the label's bytes of each row of segments that come in pieces."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % RECORD_BYTES
        for at in range(0, whole, RECORD_BYTES):
            middle = at + _TEXT_BYTES
            yield data[at:middle], data[middle : at + RECORD_BYTES]
        rest = data[whole:]


def content_hash(pieces: Iterable[bytes]) -> str:
    """Return the sha256 of the rows in segments, whatever their order."""
    ordered = sorted(text + label for text, label in records(pieces))
    return hashlib.sha256(b"".join(ordered)).hexdigest()

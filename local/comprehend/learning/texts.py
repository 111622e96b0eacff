"""What a text is to the learner: code points, each a part of a word, a sign of its own, or nothing.

Decides lower case, one form for accents, and what a character counts as. Knows no n-grams. Read
next: `local.comprehend.learning.counting`.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NOTHING, WORD, SIGN = 0, 1, 2

_CHUNK_CHARACTERS = 4_000_000
"""Bound of what is decoded at once: four bytes each."""


@dataclass(frozen=True, slots=True)
class CodedTexts:
    """Texts in a row as code points, and where each begins; one more beginning than texts."""

    codes: npt.NDArray[np.uint32]
    beginnings: npt.NDArray[np.int64]


def coded(texts: Sequence[str]) -> Iterator[CodedTexts]:
    """Yield all texts, as many at once as memory should hold."""
    batch: list[str] = []
    size = 0
    for text in texts:
        plain = _plain(text)
        batch.append(plain)
        size += len(plain)
        if size >= _CHUNK_CHARACTERS:
            yield _joined(batch)
            batch, size = [], 0
    if batch:
        yield _joined(batch)


def _plain(text: str) -> str:
    lower = text.lower()
    return lower if lower.isascii() else unicodedata.normalize("NFC", lower)


def _joined(texts: Sequence[str]) -> CodedTexts:
    beginnings = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=beginnings[1:])
    # A lone surrogate is no reason to fail: it is a character like any other.
    codes = np.frombuffer(bytearray("".join(texts).encode("utf-32-le", "surrogatepass")), np.uint32)
    return CodedTexts(codes, beginnings)


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.full(0x110000, WORD, np.uint8)
    for code in range(_ASSIGNED):
        category = unicodedata.category(chr(code))
        if category[0] in "ZC":
            kinds[code] = NOTHING
        elif category[0] in "PS" and code != ord("_"):
            kinds[code] = SIGN
    # Tell apart two looks of one emoji, which means the same.
    kinds[0xFE00:0xFE10] = NOTHING
    return kinds


_ASSIGNED = 0x20000
"""Beyond are ideographs alone, and tags that nobody writes."""

KINDS = _kinds()
"""What each code point counts as, of shape (0x110000,)."""

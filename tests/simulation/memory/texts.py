"""The documents of a history, their labels, and the predictions of each model.

A better model is right about nearly all that a worse one is right about, but not about all, so that
challengers fix documents and break some. Knows nobody who drops or reads them.
"""

import zlib

LABELS = ("billing", "delivery")


def _text(number: int) -> str:
    """Return a text that differs from the others in letters: in digits alone it were their like."""
    return f"text {number} {''.join(chr(ord('a') + int(digit)) for digit in str(number))}"


TEXTS = tuple(map(_text, range(60)))
TEST_TEXTS = tuple(map(_text, range(60, 240)))
"""What test files hold where models answer; large enough for a gain that shows."""

_OWN = 0.15
"""The part of a text's difficulty that depends on the model."""

_WHOLE = 2**32


def label_of(text: str) -> str:
    """Return the label of a text; every text has one."""
    return LABELS[int(text.split()[1]) % len(LABELS)]


def answer_of(model: str, quality: float, text: str) -> str:
    """Return the label that a model gives a text, the same each time.

    Parameters
    ----------
    quality : float in [0, 1]
        About this fraction of all texts it gets right.
    """
    label = label_of(text)
    common, own = (zlib.crc32(words.encode()) / _WHOLE for words in (text, f"{model} {text}"))
    is_right = (1 - _OWN) * common + _OWN * own < quality
    return label if is_right else LABELS[1 - LABELS.index(label)]

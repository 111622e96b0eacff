"""The hold-out: training documents that test the model where the flywheel has no TEST dataset.

Decides by the text alone, so a document never changes sides when others arrive, and equal texts are
always on the same side. Read next: `comprehend_engine.training.classifier_training`.

Notes
-----
*Source*: developer guide, "Testing the model": 10 % are held out. The method is not documented.
"""

import hashlib

HOLD_OUT_FRACTION = 0.1
"""Fraction of the documents that is held out, on average."""


def is_held_out(text: str, fraction: float = HOLD_OUT_FRACTION) -> bool:
    """Return whether a document tests instead of trains; `fraction` of all do, on average.

    Examples
    --------
    >>> sum(is_held_out(f"document {number}") for number in range(1000))
    107
    """
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < int(fraction * 2**64)

"""Which training documents test the model where the flywheel has no TEST dataset.

Decides by the text alone, so that no document changes sides when others arrive, and equal texts
are never on both. Read next: `comprehend_engine.training.classifier_training`.

Notes
-----
*Source*: developer guide, "Testing the model": 10 % are held out. How is not documented.
"""

import hashlib

HOLD_OUT_FRACTION = 0.1
"""Part of the documents that is held out, on average."""


def is_held_out(text: str, fraction: float = HOLD_OUT_FRACTION) -> bool:
    """Say whether a document tests and does not train; `fraction` of them do, on average.

    Examples
    --------
    >>> sum(is_held_out(f"document {number}") for number in range(1000))
    107
    """
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < int(fraction * 2**64)

"""Many counters in one integer, which plain Python adds at the speed of the machine.

A lane is 32 bits of a long integer. Adding two such integers adds a thousand counters in about a
microsecond, which is what makes resampling possible without NumPy in a function's code. Lanes must
stay between 0 and 2**32: `BASE` in each lane gives room for differences. Read next:
`flywheel.evaluation.resampling`.
"""

from array import array
from random import Random

BITS = 32
BASE = 1 << 30
"""What a lane starts from where differences are added up."""

_POISSON = b"".join(bytes([weight]) * share for weight, share in enumerate((95, 93, 47, 16, 4, 1)))
"""Each byte's weight: Poisson with mean 1 in steps of 1/256; mean exactly 1, variance 1.008."""


def filled(lanes: int, value: int) -> int:
    """Return so many lanes of one value."""
    return int.from_bytes(value.to_bytes(BITS // 8, "little") * lanes, "little")


def coins(random: Random, lanes: int, ones: int) -> int:
    """Toss a coin in each lane; `ones` is `filled(lanes, 1)`."""
    return random.getrandbits(BITS * lanes) & ones


def weights(random: Random, lanes: int) -> int:
    """Draw a weight with mean 1 and variance 1 in each lane: how often a document is resampled."""
    spread = bytearray(BITS // 8 * lanes)
    spread[:: BITS // 8] = random.randbytes(lanes).translate(_POISSON)
    return int.from_bytes(spread, "little")


def values(packed: int, lanes: int) -> "array[int]":
    """Return each lane's value."""
    return array("I", packed.to_bytes(BITS // 8 * lanes, "little"))

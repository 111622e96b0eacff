"""Many counters in one integer, which plain Python adds at the speed of the machine.

A lane is 32 bits of a long integer. Adding two such integers adds a thousand counters in about a
microsecond, which is what makes resampling possible without NumPy in a function's code. A lane must
stay below 2**32, and the differences in it between -`BASE` and 3 * `BASE`. Read next:
`flywheel.evaluation.resampling`.
"""

from array import array
from collections import defaultdict
from random import Random

_BITS = 32
_BASE = 1 << 30
"""What a lane starts from, so that differences below 0 have room."""

_POISSON = b"".join(bytes([weight]) * share for weight, share in enumerate((95, 93, 47, 16, 4, 1)))
"""Each byte's weight: Poisson with mean 1 in steps of 1/256; mean exactly 1, variance 1.008."""


class LaneSums:
    """Sums per label, each with one value per lane; what is added may be negative.

    Parameters
    ----------
    lanes : int
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        base = filled(lanes, _BASE)
        self._sums: defaultdict[str, int] = defaultdict(lambda: base)

    def add(self, label: str, packed: int) -> None:
        """Add to all lanes of a label: what `coins` or `weights` drew, times a count."""
        self._sums[label] += packed

    def values(self) -> dict[str, list[int]]:
        """Return the sums of each label, lane by lane."""
        return {
            label: [value - _BASE for value in unpacked(packed, self._lanes)]
            for label, packed in self._sums.items()
        }


def filled(lanes: int, value: int) -> int:
    """Return so many lanes of one value."""
    return int.from_bytes(value.to_bytes(_BITS // 8, "little") * lanes, "little")


def coins(random: Random, lanes: int, ones: int) -> int:
    """Toss a coin in each lane; `ones` is `filled(lanes, 1)`."""
    return random.getrandbits(_BITS * lanes) & ones


def weights(random: Random, lanes: int) -> int:
    """Draw a weight with mean 1 and variance 1 in each lane: how often a document is resampled."""
    spread = bytearray(_BITS // 8 * lanes)
    spread[:: _BITS // 8] = random.randbytes(lanes).translate(_POISSON)
    return int.from_bytes(spread, "little")


def unpacked(packed: int, lanes: int) -> "array[int]":
    """Return each lane's value."""
    return array("I", packed.to_bytes(_BITS // 8 * lanes, "little"))

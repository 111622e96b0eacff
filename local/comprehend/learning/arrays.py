"""The arrays that the classifier's parts hand each other, by what they hold.

Decides one width for each kind of number, which is what the compiled loops are compiled for. Knows
no loop. Read next: `local.comprehend.learning.compiled`.
"""

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
"""Code points."""

Keys = npt.NDArray[np.uint64]
"""Hashes of features."""

Numbers = npt.NDArray[np.int32]
"""Features, columns or labels, and how many there are."""

Places = npt.NDArray[np.int64]
"""Where something is in another array."""

Flags = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

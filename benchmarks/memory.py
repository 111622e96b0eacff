"""How much memory this process ever had, without what its parent had when it was started."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_mib() -> float:
    """Return the peak of the process's resident set.

    Notes
    -----
    Linux hands ``ru_maxrss`` down to a child through fork and exec, so there the kernel's own count
    for this program is read. *Source*: proc(5), VmHWM.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)

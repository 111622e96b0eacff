"""What the command's exit codes mean; scripts rely on them.

Decides the numbers only. Read next: `console.errors`, which carries them.
"""

from enum import IntEnum

from flywheel.batches.batches import BatchOutcome


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    HELD = 3
    REJECTED = 4
    CLOUD = 5
    TIMED_OUT = 6
    INTERRUPTED = 130


OF_OUTCOME = {
    BatchOutcome.PROMOTED: ExitCode.DONE,
    BatchOutcome.REJECTED: ExitCode.REJECTED,
    BatchOutcome.HELD: ExitCode.HELD,
    BatchOutcome.SHADOW: ExitCode.HELD,
    BatchOutcome.FAILED: ExitCode.CLOUD,
    BatchOutcome.EMPTY: ExitCode.DONE,
}
"""The exit code that tells a batch's outcome."""

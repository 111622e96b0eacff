"""Where the `flywheel` command begins: Ctrl-C ends it before its verbs are there, too.

Decides what Ctrl-C does while the verbs are imported, which takes a second or two. Imports nothing
that takes time. Read next: `console.command`.
"""

import os
import signal

_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run the command."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else whoever started it has Ctrl-C ignored
        signal.signal(signal.SIGINT, _stop)
    from console.command import main as run  # noqa: PLC0415 - this takes time

    signal.signal(signal.SIGINT, before)
    run()


def _stop(number: int, frame: object) -> None:
    """End the process as it stands: nothing has begun, and a traceback helps nobody."""
    os.write(2, b"Stopped.\n")
    os._exit(_INTERRUPTED)

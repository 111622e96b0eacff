"""The command `comprehend-engine`: an engine that serves until it is interrupted.

Decides the options and the exit codes. Imports nothing that takes long, so that Ctrl-C and `--help`
work at once. Read next: `comprehend_engine.serving`.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from comprehend_engine.errors import StartRefusedError

_HIGHEST_PORT = 65_535
_REFUSED = 2
_EXIT_CODES = "Exit codes: 2 it cannot start, 130 interrupted, 143 terminated."


class _Terminated(KeyboardInterrupt):
    """SIGTERM arrived; it stops the engine as Ctrl-C does."""


def main(arguments: Sequence[str] | None = None, *, program: str = "comprehend-engine") -> None:
    """Run the command and end the process.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the command's name; those of the process by default.
    program : str
        The command's name in its help.
    """
    options = _parser(program).parse_args(arguments)
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        from comprehend_engine.serving import serve  # noqa: PLC0415 - takes a second

        serve(options)
    except StartRefusedError as refusal:
        _report(refusal, is_json=options.json)
        sys.exit(_REFUSED)
    except _Terminated:
        sys.exit(128 + signal.SIGTERM)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(128 + signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def _report(refusal: StartRefusedError, *, is_json: bool) -> None:
    """Write why the engine does not start: the problem on one line, the remedy on the next."""
    sys.stderr.write(f"{refusal.where}: {refusal.problem}\n{refusal.remedy}.\n")
    if is_json:
        error = {"where": refusal.where, "problem": refusal.problem, "remedy": refusal.remedy}
        sys.stdout.write(json.dumps({"error": error}, indent=2) + "\n")


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        allow_abbrev=False,
        description="Serve the Amazon Comprehend flywheel API on 127.0.0.1, with real training.",
        epilog=_EXIT_CODES,
    )
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="directory of its state; created when absent",
    )
    add("--port", type=_port, default=0, metavar="N", help="0, the default, chooses a free one")
    add("--s3-endpoint", metavar="URL", help="its S3; by default the one that boto3 finds")
    pace_help = "least time of each transient state, such as TRAINING (0.2)"
    add("--pace", type=_seconds, default=0.2, metavar="SECONDS", help=pace_help)
    add("--faults", action="store_true", help="let tests inject faults")
    set_help = "a quota or another setting; can be repeated"
    add("--set", action="append", default=[], metavar="NAME=VALUE", help=set_help)
    add("--json", action="store_true", help="print one JSON document, for programs")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _HIGHEST_PORT):
        message = f"{text!r} is not a whole number from 0 to {_HIGHEST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        message = f"{text!r} is not a number of seconds from 0"
        raise argparse.ArgumentTypeError(message)
    return seconds

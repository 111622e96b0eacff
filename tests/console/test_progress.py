"""What is told of a wait, and how often."""

import pytest

from console.progress import Phase, Progress
from console.terminal import Terminal


def test_a_phase_is_told_once_when_it_was_the_last_one_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever waited may tell the end of the wait, though a look had shown it already."""
    progress = Progress(Terminal(is_json=False))
    for name in ("GATHERING", "SEALED", "SEALED", "DATASETS"):
        progress.show(Phase(name, "batch 2"))
    told = capsys.readouterr()
    assert (told.out + told.err).count("SEALED") == 1

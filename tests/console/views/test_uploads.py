"""How uploads are shown to people."""

import pytest
from rich.console import Console

from application.ledger.upload_rows import UploadRow
from console.views.uploads import uploads_view
from flywheel.batches.uploads import UploadState


@pytest.mark.parametrize("state", list(UploadState))
def test_a_state_and_a_key_stand_as_they_are_when_markup_is_off(state: UploadState) -> None:
    """The command prints without markup, so neither styles nor escapes may be written in text."""
    row = UploadRow("0123456789", "tickets/train/a[1].csv", "tickets", "train", state, "2026-01-01")
    console = Console(markup=False, width=100)
    with console.capture() as shown:
        console.print(uploads_view([row]))
    line = shown.get().splitlines()[1]
    assert line.split()[3] == state.value
    assert line.split()[-1] == "a[1].csv"


@pytest.mark.parametrize("state", [UploadState.REFUSED, UploadState.GONE, UploadState.WAITING])
def test_the_reasons_are_shown_when_an_upload_was_not_taken(state: UploadState) -> None:
    """The first ones below the table, within 80 columns; the others are counted."""
    reasons = [f"line {number}: empty text; {'see ' * 40}" for number in range(1, 6)]
    row = UploadRow(
        "0123456789", "tickets/train/a.csv", "tickets", "train", state, "2026-01-01", reasons
    )
    console = Console(markup=False, width=80)
    with console.capture() as shown:
        console.print(uploads_view([row]))
    lines = shown.get().splitlines()
    assert f"01234567  {state} a.csv" in lines
    assert [line[:9] for line in lines if line.startswith("  line")] == [
        "  line 1:",
        "  line 2:",
        "  line 3:",
    ]
    assert lines[-1] == "  ... and 2 more lines: flywheel uploads --json"
    assert max(map(len, lines)) <= 80


def test_no_reason_is_shown_when_an_upload_was_taken() -> None:
    """What was left out of it was said in its notice."""
    row = UploadRow(
        "0123456789", "a/train/a.csv", "a", "train", UploadState.STAGED, "2026-01-01", ["line 1: x"]
    )
    console = Console(markup=False, width=80)
    with console.capture() as shown:
        console.print(uploads_view([row]))
    assert "line 1" not in shown.get()

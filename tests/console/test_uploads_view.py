"""How uploads are shown to people."""

import pytest
from rich.console import Console

from adapters.ledger.upload_rows import UploadRow
from console.uploads_view import uploads_view
from flywheel.uploads import UploadState


@pytest.mark.parametrize("state", list(UploadState))
def test_a_state_and_a_key_stand_as_they_are_when_markup_is_off(state: UploadState) -> None:
    """The command prints without markup, so neither styles nor escapes may be written in text."""
    row = UploadRow("0123456789", "tickets/train/a[1].csv", "tickets", "train", state, "2026-01-01")
    console = Console(markup=False, width=100)
    with console.capture() as shown:
        console.print(uploads_view([row]))
    (line,) = shown.get().splitlines()[1:]
    assert line.split()[3] == state.value
    assert line.split()[-1] == "a[1].csv"

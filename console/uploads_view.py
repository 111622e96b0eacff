"""What became of each upload, newest first.

Decides facts and looks of `flywheel uploads`. Changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.ledger.upload_rows import UploadRow
from flywheel.notices import shown
from flywheel.uploads import UploadState

_STYLES = {
    UploadState.REFUSED: "red",
    UploadState.GONE: "yellow",
    UploadState.WAITING: "yellow",
    UploadState.WITHDRAWN: "yellow",
    UploadState.STAGED: "cyan",
    UploadState.SEALED: "green",
}
_UID_CHARACTERS = 8


def uploads_view(uploads: Sequence[UploadRow]) -> RenderableType:
    """Return the uploads as a table."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("uid", "received", "kind", "state", "batch", "documents"):
        table.add_column(title, no_wrap=True)
    table.add_column("key", overflow="fold")
    for upload in uploads:
        table.add_row(
            upload.uid[:_UID_CHARACTERS],
            upload.received_at[5:16].replace("T", " "),
            upload.kind,
            Text(str(upload.state), _STYLES.get(upload.state, "")),
            "-" if upload.batch is None else str(upload.batch),
            f"{upload.documents:,}",
            _name(upload),
        )
    return table


def upload_document(upload: UploadRow) -> dict[str, Any]:
    """Return an upload as JSON values."""
    return {
        "uid": upload.uid,
        "key": upload.key,
        "kind": upload.kind,
        "state": upload.state.value,
        "received_at": upload.received_at,
        "batch": upload.batch,
        "documents": upload.documents,
        "left_out": upload.left_out,
        "reasons": list(upload.reasons),
        "paired_with": upload.paired_with,
    }


def _name(upload: UploadRow) -> str:
    """Return the key below its flywheel and kind; of a half that waits, also for which file."""
    name = shown(upload.key.split("/", 2)[-1], 120)
    if upload.state is not UploadState.WAITING or not upload.reasons:
        return name
    return f"{name}\n{shown('; '.join(upload.reasons), 200)}"

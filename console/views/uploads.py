"""The state of each upload, newest first, and the reasons of those that were not accepted.

Decides looks and the JSON document of `flywheel uploads`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from application.ledger.upload_rows import UploadRow
from console.views.layout import indented, plain_table
from flywheel.batches.uploads import UploadState
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_STYLES = {
    UploadState.REFUSED: "red",
    UploadState.GONE: "yellow",
    UploadState.WAITING: "yellow",
    UploadState.WITHDRAWN: "yellow",
    UploadState.STAGED: "cyan",
    UploadState.SEALED: "green",
}
_UID_CHARACTERS = 8
_EXPLAINED = frozenset({UploadState.REFUSED, UploadState.GONE, UploadState.WAITING})
_REASONS_SHOWN = 3


def uploads_view(uploads: Sequence[UploadRow]) -> RenderableType:
    """Return the uploads as a table, with the reasons below it: they quote no document."""
    table = plain_table("uid", "received", "kind", "state", "batch", "documents")
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
    explained = [upload for upload in uploads if upload.state in _EXPLAINED and upload.reasons]
    return Group(table, *(part for upload in explained for part in _reasons(upload)))


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
    """Return the key below its flywheel and kind."""
    return shown(upload.key.split("/", 2)[-1], 120)


def _reasons(upload: UploadRow) -> Iterator[RenderableType]:
    """Yield an upload with the first reasons why it is refused, gone or waits."""
    yield Text()
    name = f"{upload.uid[:_UID_CHARACTERS]}  {upload.state} {_name(upload)}"
    yield Text(name, _STYLES[upload.state], overflow="fold")
    for reason in upload.reasons[:_REASONS_SHOWN]:
        yield indented(shown(reason, 200))
    more = len(upload.reasons) - _REASONS_SHOWN
    if more > 0:
        words = f"... and {number_of(more, 'more line')}: flywheel uploads --json"
        yield indented(words)

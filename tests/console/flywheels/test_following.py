"""What a wait returns when the ledger changes between two of its reads."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.upload_rows import UploadRow
from console.flywheels import following
from console.flywheels.operating import FlywheelClient
from flywheel.batches.batches import Readiness
from flywheel.batches.uploads import DatasetKind, UploadState

IDLE = FlywheelRow("tickets", "arn:aws:comprehend:eu-west-1:123456789012:flywheel/tickets-g1")
STAGED = UploadRow(
    "1", "tickets/train/a.csv", IDLE.name, DatasetKind.TRAIN, UploadState.STAGED, "2026-01-01"
)
LACKING = Readiness(False, ("no training documents are staged",))


def batch_of(ledger: SimpleNamespace) -> int | Readiness:
    """Return what the wait for an upload's batch ends with."""
    uploads = SimpleNamespace(get=lambda uid: ledger.upload)
    target = SimpleNamespace(ledger=lambda: SimpleNamespace(uploads=uploads))

    class Client:
        name = IDLE.name

        def __init__(self) -> None:
            self.target = target

        @property
        def row(self) -> FlywheelRow:
            return cast(FlywheelRow, ledger.row)

    waiting = following.batch_of(
        cast(FlywheelClient, Client()), STAGED.uid, following.Patience(0, math.inf)
    )
    while True:
        try:
            next(waiting)
        except StopIteration as end:
            return cast("int | Readiness", end.value)


def test_the_batch_is_followed_when_it_seals_while_readiness_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is staged any more then, which is no lack: the upload is in the batch."""
    ledger = SimpleNamespace(row=IDLE, upload=STAGED)

    def seals(client: Any, row: FlywheelRow) -> Readiness:
        ledger.row = replace(IDLE, open_batch=1, last_batch=1)
        ledger.upload = replace(STAGED, state=UploadState.SEALED, batch=1)
        return LACKING

    monkeypatch.setattr(following, "next_batch", seals)
    assert batch_of(ledger) == 1


def test_the_lack_is_returned_when_no_batch_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flywheel is as it was before readiness was read."""
    monkeypatch.setattr(following, "next_batch", lambda client, row: LACKING)
    assert batch_of(SimpleNamespace(row=IDLE, upload=STAGED)) is LACKING

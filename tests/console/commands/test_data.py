"""What the verbs on data say."""

from dataclasses import replace

from application.ledger.upload_rows import UploadRow
from console.commands.data import rows_by_kind, words_on_test_data
from flywheel.batches.uploads import DatasetKind, UploadState


def upload(key: str, kind: DatasetKind) -> UploadRow:
    """Make an upload that was sent with a batch."""
    return UploadRow(key, key, "tickets", kind.value, UploadState.SEALED, "2026-01-01", batch=1)


def test_a_withdrawal_says_so_when_test_data_goes_along() -> None:
    """Which it is, and what judges models without it."""
    train = upload("tickets/train/a.csv", DatasetKind.TRAIN)
    test = upload("tickets/test/b.csv", DatasetKind.TEST)
    first, second = words_on_test_data([train, test])
    assert first.endswith(": tickets/test/b.csv")
    assert "hold-out" in second


def test_a_withdrawal_says_nothing_of_test_data_when_there_is_none() -> None:
    """Training data alone changes nothing about how models are judged."""
    assert words_on_test_data([upload("tickets/train/a.csv", DatasetKind.TRAIN)]) == ()


def test_rows_are_counted_by_kind_when_a_batch_is_withdrawn() -> None:
    """Who takes a batch back sees how much of the test set goes along."""
    train = replace(upload("tickets/train/a.csv", DatasetKind.TRAIN), documents=1_200)
    test = replace(upload("tickets/test/b.csv", DatasetKind.TEST), documents=1)
    assert rows_by_kind([train, test, train]) == (
        "2,400 training rows of 2 uploads and 1 test row of 1 upload"
    )
    assert rows_by_kind([test]) == "1 test row of 1 upload"

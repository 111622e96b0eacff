"""Which batches a model was trained on, and whether rows of them were withdrawn since.

Taint says this of a flywheel's datasets, and a rebuild ends it; the live model may stay as it is.
"""

from collections.abc import Sequence

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow, RebuildState
from application.ledger.ledger import Ledger
from application.ledger.upload_rows import UploadRow
from application.ledger.uploads import ALL_UPLOADS
from flywheel.batches.batches import BatchOutcome
from flywheel.batches.uploads import DatasetKind, UploadState


def batches_behind(ledger: Ledger, row: FlywheelRow, model: str | None) -> frozenset[int]:
    """Return the batches that a model was trained on; none where no verdict knows it.

    The service trains on every dataset of a flywheel, so these are all batches of the generation
    up to its own.
    """
    batch = _judged_in(ledger, row, model) if model is not None else None
    if batch is None:
        return frozenset()
    trained = [batch, *ledger.batches.judged_again(batch)][-1]
    earlier = ledger.batches.get_many(row.name, range(1, trained.batch + 1))
    return frozenset(each.batch for each in earlier if each.generation == trained.generation)


def _judged_in(ledger: Ledger, row: FlywheelRow, model: str) -> BatchRow | None:
    """Return the batch whose verdict is about a model; the history of champions knows most."""
    for champion in reversed(ledger.champions.history(row.name)):
        if champion.model == model and champion.batch is not None:
            return ledger.batches.get(row.name, champion.batch)
    for batch in ledger.batches.newest(row, row.last_batch):
        stored = ledger.verdicts.get(batch)
        if stored is not None and stored.verdict.evidence.challenger_arn == model:
            return batch
    return None


def trained_on(uploads: Sequence[UploadRow], batches: frozenset[int]) -> list[UploadRow]:
    """Return the training uploads that went into any of these batches."""
    return [
        upload
        for upload in uploads
        if upload.kind == DatasetKind.TRAIN and not batches.isdisjoint(upload.batches)
    ]


def withdrawn_from(ledger: Ledger, row: FlywheelRow, model: str | None) -> list[str]:
    """Return the inbox keys of withdrawn uploads that a model was trained on, newest first."""
    batches = batches_behind(ledger, row, model)
    uploads = ledger.uploads.newest(row.name, ALL_UPLOADS) if batches else []
    withdrawn = [upload for upload in uploads if upload.state is UploadState.WITHDRAWN]
    return [upload.key for upload in trained_on(withdrawn, batches)]


def was_promoted(ledger: Ledger, row: FlywheelRow, asked: RebuildState) -> bool:
    """Say whether a model of the new generation went live, by its verdict or by a person."""
    batches = ledger.batches.newest(row, row.last_batch - asked.last_batch)
    if any(batch.outcome is BatchOutcome.PROMOTED for batch in batches):
        return True
    verdicts = [stored for batch in batches if (stored := ledger.verdicts.get(batch))]
    trained = {stored.verdict.evidence.challenger_arn for stored in verdicts} - {None}
    return any(champion.model in trained for champion in ledger.champions.history(row.name))


def taint_of_return(ledger: Ledger, row: FlywheelRow, asked: RebuildState) -> Sequence[str]:
    """Return the withdrawn uploads that the flywheel holds which is used if a rebuild is given up.

    Returns
    -------
    sequence of str
        Inbox keys, the newest.
    """
    if row.arn == asked.before_arn:
        return row.taint
    past = ledger.rebuilds.past(row, asked.before_arn)
    return ledger.batch_uploads.taint_of(row, past.generation) if past else ()

"""Settle what was still open when its time was over: datasets of failed batches, halves of pairs.

A TEST dataset that was complete only later judges models, so its rows are counted. A dataset that
failed later holds no rows: a later upload with the same rows must not be a duplicate of rows that
no dataset holds. One that was never created uses no slot; but that can be said only when no
function that outlived the batch can create it any more.
"""

from datetime import timedelta

from application.configuration import KnownFlywheel
from application.error_handling import quoting_no_document
from application.ledger.batch_rows import BatchRow
from application.services import Services
from application.staged_rows import with_measured_test_set, without_lost_rows
from flywheel.batches.batches import LONGEST_CALL, BatchOutcome
from flywheel.batches.uploads import DatasetKind, Place, UploadState
from flywheel.intake.pairs import never_came_words, pair_place
from flywheel.notices.uploads import never_paired

_BATCHES_LOOKED_AT = 5
_COMPLETED, _FAILED = "COMPLETED", "FAILED"


def settle_late_datasets(services: Services, known: KnownFlywheel) -> int:
    """Set right what counts as held by a flywheel's datasets; returns for how many batches."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return 0
    with quoting_no_document():
        return sum(
            _settle(services, batch)
            for batch in services.ledger.batches.newest(row, _BATCHES_LOOKED_AT)
            if batch.outcome is BatchOutcome.FAILED and batch.generation == row.generation
        )


def _settle(services: Services, batch: BatchRow) -> bool:
    ledger, known = services.ledger, services.flywheel(batch.flywheel)
    row = ledger.flywheels.ensure(batch.flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    if not row.is_idle:
        return False
    statuses = {kind: comprehend.dataset_status(arn) for kind, arn in batch.planned.items()}
    is_complete = statuses.get(DatasetKind.TEST) == _COMPLETED
    if is_complete and not batch.was_test_set_frozen:
        shape = services.shape(known, row.arn)
        measured = with_measured_test_set(services.staging, ledger, batch, shape)
        ledger.retries.count_test_rows(measured, row, services.now())
        return True
    absent = [kind for kind, status in statuses.items() if status is None]
    is_certain = batch.closed_before(services.now() - LONGEST_CALL)
    is_given_back = absent and not batch.given_back and is_certain
    refused = [kind for kind, status in statuses.items() if status == _FAILED]
    lost = absent if is_given_back else refused
    without = without_lost_rows(
        services.staging,
        ledger,
        batch,
        row,
        lost=lost,
        shape=lambda: services.shape(known, row.arn),
    )
    if is_given_back:
        ledger.retries.give_back(batch, row, lost, services.now(), without=without)
        return True
    return ledger.holdings.forget(batch.name, row, lost, services.now(), without=without)


def end_late_pairs(services: Services, known: KnownFlywheel) -> int:
    """Refuse halves that have waited too long; returns how many."""
    halves = list(services.ledger.pairs.waiting(known.settings.name))
    if not halves:
        return 0
    row = services.ledger.flywheels.ensure(known.settings.name, known.arn)
    shape = services.shape(known, row.arn)
    hours, ended = known.settings.batch.pair_timeout_hours, 0
    for waiting in halves:
        pair = pair_place(waiting.upload.key, shape)
        if pair is None or services.now() - waiting.since < timedelta(hours=hours):
            continue
        place = Place(known.settings.name, waiting.kind)
        news = never_paired(waiting.upload.key, never_came_words(pair, hours))
        services.ledger.uploads.refuse(
            waiting.upload.uid,
            place.flywheel,
            state=UploadState.REFUSED,
            reasons=news.lines,
            news=news,
            now=services.now(),
            before=UploadState.WAITING,
            pair_end=services.ledger.pairs.never_met(place, pair),
        )
        ended += 1
    return ended

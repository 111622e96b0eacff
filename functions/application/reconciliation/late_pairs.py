"""Refuse the half of an entity upload whose other half did not come in time, and say so."""

from datetime import timedelta

from application.configuration import KnownFlywheel
from application.services import Services
from flywheel.batches.uploads import Place, UploadState
from flywheel.intake.pairs import never_came_words, pair_place
from flywheel.notices.uploads import never_paired


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

"""RegisterUpload: one S3 event in, one upload registered, staged or refused.

Reads exactly the version that the event names, and resumes from the ledger's state when the event
comes again. Opens a batch when the rules are met. Read next: `application.registration.staging`.
"""

from aws_lambda_powertools import Logger

from application.configuration import KnownFlywheel
from application.ledger.outbox import NO_FLYWHEEL
from application.ledger.upload_rows import UploadRow
from application.registration.staging import UploadPair, brought_together, stage
from application.services import Services
from flywheel.batches.uploads import (
    DatasetKind,
    ObjectVersion,
    Place,
    UploadState,
    is_folder_marker,
    is_go_marker,
    place_of,
)
from flywheel.errors import (
    MisplacedKeyError,
)
from flywheel.intake.pairs import UnpairableKeyError, pair_place
from flywheel.notices import uploads as upload_news
from flywheel.notices.notice import UploadNews

logger = Logger(child=True)


def register(
    services: Services, upload: ObjectVersion, size_bytes: int, *, delivery: int = 1
) -> None:
    """Register one object version, from whatever state the ledger has it in."""
    if is_folder_marker(upload.key, size_bytes):
        return
    ledger, flywheels = services.ledger, services.flywheels()
    try:
        place = place_of(upload.key, flywheels)
    except MisplacedKeyError as error:
        row = receive(services, upload, NO_FLYWHEEL, "-", size_bytes=size_bytes, delivery=delivery)
        if row.state is UploadState.RECEIVED:
            refuse(services, upload, NO_FLYWHEEL, upload_news.misplaced(upload.key, str(error)))
        return
    known = flywheels[place.flywheel]
    flywheel_arn = ledger.flywheels.ensure(place.flywheel, known.arn).arn
    row = receive(
        services, upload, place.flywheel, place.kind, size_bytes=size_bytes, delivery=delivery
    )
    if row.state is UploadState.RECEIVED and is_go_marker(upload.key):
        ledger.uploads.mark(upload.uid, ledger.flywheels.ask_for_batch(place.flywheel, upload.key))
    elif row.state is UploadState.RECEIVED and not take(
        services, upload, place, known, flywheel_arn=flywheel_arn, size_bytes=size_bytes
    ):
        return
    if place.kind is DatasetKind.TEST and not is_go_marker(upload.key):
        # Drafts of a test set start nothing, and each would have all that is staged read.
        logger.info("registered", key=upload.key)
        return
    batch, ready = services.workflow.open_when_ready(known, services.now())
    logger.info("registered", key=upload.key, opened=batch and batch.batch, lacks=ready.lacks)


def receive(
    services: Services,
    upload: ObjectVersion,
    flywheel: str,
    kind: str,
    *,
    size_bytes: int,
    delivery: int,
) -> UploadRow:
    """Return the upload's row, made or brought up to this delivery of its event."""
    uploads, now = services.ledger.uploads, services.now()
    row = uploads.receive(
        upload, flywheel=flywheel, kind=kind, size_bytes=size_bytes, now=now, delivery=delivery
    )
    if row.is_undelivered:
        return uploads.receive_again(row, now, delivery)
    if row.state is UploadState.RECEIVED and row.deliveries != delivery:
        # Now, not at its end: a function that dies says nothing.
        uploads.note_delivery(row.uid, delivery, now)
    return row


def take(
    services: Services,
    upload: ObjectVersion,
    place: Place,
    known: KnownFlywheel,
    *,
    flywheel_arn: str,
    size_bytes: int,
) -> bool:
    """Stage a received upload; False where it was refused, or waits for its other half."""
    try:
        half = pair_place(upload.key, services.shape(known, flywheel_arn))
    except UnpairableKeyError as error:
        refuse(services, upload, place.flywheel, upload_news.unpairable(upload.key, str(error)))
        return False
    pair = None
    if half is not None:
        pair = brought_together(services, upload, place, half)
        if pair is None:
            return False
        upload = pair.documents
    staging = stage(services, upload, place, known, flywheel_arn, size_bytes=size_bytes, pair=pair)
    if staging.refusal is not None:
        refuse(services, upload, place.flywheel, staging.refusal, staging.state, pair=pair)
        return False
    if staging.news is not None:
        announce(services, place.flywheel)
    services.ledger.flywheels.count_registration(place.flywheel)
    return True


def refuse(
    services: Services,
    upload: ObjectVersion,
    flywheel: str,
    news: UploadNews,
    state: UploadState = UploadState.REFUSED,
    *,
    pair: UploadPair | None = None,
) -> None:
    """Record a refusal with its news, the other half's too, and announce the news."""
    services.ledger.uploads.refuse(
        upload.uid,
        flywheel,
        state=state,
        reasons=news.lines,
        news=news,
        now=services.now(),
        before=pair.documents_state if pair else UploadState.RECEIVED,
        pair_end=pair.ended(services, state) if pair else None,
    )
    announce(services, flywheel)


def announce(services: Services, flywheel: str) -> None:
    """Have the flywheel's upload news sent as one digest when the notice window is over."""
    services.ports.messages.announce(flywheel, services.configuration.notice_window_seconds)

"""Find object versions that no event brought, or whose deliveries all failed.

Events are delivered at least once, but rules can be off, permissions wrong, messages dead. The
bucket is the truth: each version in it has a row in the ledger, or is registered as if its event
came now, once. A version whose deliveries are used up is refused, and people are told why; one
whose event still waits to be delivered is left alone. The last three days are looked at in each
run, all of them once a day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from application.error_handling import Failures
from application.ledger.outbox import NO_FLYWHEEL
from application.ledger.upload_rows import UploadRow
from application.port_values import ListedVersion
from application.services import Services
from flywheel.batches.uploads import MOST_DELIVERIES, UploadState, is_folder_marker, place_of
from flywheel.errors import ConcurrentChangeError, MisplacedKeyError
from flywheel.notices.uploads import undelivered

_USUAL_WINDOW = timedelta(days=3)
_WHOLE_EVERY = timedelta(days=1)
_EVENT_TAKES = timedelta(minutes=10)
"""Younger versions may have an event that is still under way."""

_DELIVERY_TAKES = timedelta(minutes=90)
"""The queue's visibility time-out: so long after it began no delivery is under way."""

_DELIVERIES_TAKE = timedelta(hours=8)
"""Longer than all deliveries of an event, one after the other."""

_EVENT_IS_KEPT = timedelta(days=14)
"""The queue's retention: an older event is gone, tried or not."""


def look_for_lost_uploads(services: Services, failures: Failures) -> dict[str, int]:
    """Have every version without a row registered, and refuse those that cannot be.

    Parameters
    ----------
    failures : Failures
        Holds what fails of one upload; all others are looked at.

    Returns
    -------
    dict of str to int
        ``uploads`` that are delivered again, and ``undelivered`` ones that were refused.
    """
    now = services.now()
    is_whole = services.ledger.runs.is_whole_due(now, _WHOLE_EVERY)
    oldest = None if is_whole else now - _USUAL_WINDOW
    versions = {
        version.upload.uid: version
        for version in services.ports.inbox.versions()
        if (oldest is None or version.modified_at >= oldest)
        and now - version.modified_at >= _EVENT_TAKES
        and not is_folder_marker(version.upload.key, version.size_bytes)
    }
    rows = services.ledger.uploads.get_many(versions)
    lost = [version for uid, version in versions.items() if uid not in rows]
    received = [row for row in rows.values() if row.state is UploadState.RECEIVED]
    forgotten = [row for row in received if _is_forgotten(row, now)]
    ended = 0
    for version in lost:
        with failures.held_back("upload", uid=version.upload.uid):
            _deliver(services, version)
    for row in forgotten:
        with failures.held_back("forgotten upload", uid=row.uid):
            version = versions[row.uid]
            services.ports.messages.inject(version.upload, version.size_bytes)
            services.ledger.uploads.note_delivery(row.uid, 0, now)
    used_up: list[UploadRow] = []
    with failures.held_back("undelivered uploads"):
        used_up = _undelivered(services, received, now)
    for row in used_up:
        with failures.held_back("undelivered upload", uid=row.uid):
            ended += _refuse(services, row)
    if is_whole:
        services.ledger.runs.note_whole(now)
    return {"uploads": len(lost) + len(forgotten), "undelivered": ended}


def _deliver(services: Services, version: ListedVersion) -> None:
    """Have a version registered, and give it the row by which its deliveries come to an end."""
    upload = version.upload
    services.ports.messages.inject(upload, version.size_bytes)
    try:
        place = place_of(upload.key, services.flywheels())
        flywheel, kind = place.flywheel, place.kind.value
    except MisplacedKeyError:
        flywheel, kind = NO_FLYWHEEL, "-"
    services.ledger.uploads.receive(
        upload, flywheel=flywheel, kind=kind, size_bytes=version.size_bytes, now=services.now()
    )


def _refuse(services: Services, row: UploadRow) -> bool:
    """Refuse an upload, with its notice; False where it is registered meanwhile after all."""
    news = undelivered(row.key, row.failure)
    try:
        services.ledger.uploads.refuse_undelivered(row, news, services.now())
    except ConcurrentChangeError:
        return False
    return True


def _undelivered(
    services: Services, received: Sequence[UploadRow], now: datetime
) -> list[UploadRow]:
    """Return the uploads whose deliveries are used up.

    Most were counted. The queue counts deliveries that no function worked on, too: where it was
    throttled, or could not start. Those are used up when the queue is empty.
    """
    counted = [row for row in received if row.deliveries >= MOST_DELIVERIES]
    used_up = [row for row in counted if _since_delivery(row, now) >= _DELIVERY_TAKES]
    uncounted = [
        row
        for row in received
        if row.deliveries < MOST_DELIVERIES
        and _DELIVERIES_TAKE <= _since_delivery(row, now) < _EVENT_IS_KEPT
    ]
    if uncounted and not services.ports.messages.has_waiting_uploads():
        used_up += uncounted
    return used_up


def _is_forgotten(row: UploadRow, now: datetime) -> bool:
    """Say whether a received upload's event was waiting for longer than the queue keeps it."""
    return row.deliveries < MOST_DELIVERIES and _since_delivery(row, now) >= _EVENT_IS_KEPT


def _since_delivery(row: UploadRow, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(row.delivered_at)

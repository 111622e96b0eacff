"""Find object versions that no event brought, or whose deliveries all failed.

Events are delivered at least once, but rules can be off, permissions wrong, messages dead. The
bucket is the truth: each version in it has a row in the ledger, or is registered as if its event
came now, once. A version whose deliveries are used up is refused, and people are told why. The last
three days are looked at in each run, all of them once a day.
"""

from datetime import datetime, timedelta

from adapters.inbox import FoundVersion
from adapters.ledger.upload_rows import UploadRow
from adapters.ledger.uploads import NO_FLYWHEEL
from adapters.services import Services
from flywheel.errors import ConcurrentChangeError, MisplacedKeyError
from flywheel.upload_news import undelivered
from flywheel.uploads import UploadState, is_folder_marker, place_of
from reconcile.failures import Failures

_USUAL_WINDOW = timedelta(days=3)
_WHOLE_EVERY = timedelta(days=1)
_EVENT_TAKES = timedelta(minutes=10)
"""Younger versions may have an event that is still under way."""

_DELIVERIES_TAKE = timedelta(hours=8)
"""Longer than five deliveries, each of which is hidden for 90 minutes."""


def look_for_lost_uploads(services: Services) -> dict[str, int]:
    """Have every version without a row registered, and refuse those that cannot be.

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
    failures, ended = Failures(), 0
    for version in lost:
        with failures.held_back("upload", uid=version.upload.uid):
            _deliver(services, version)
    for row in filter(lambda row: _is_undelivered(row, now), rows.values()):
        with failures.held_back("undelivered upload", uid=row.uid):
            ended += _refuse(services, row)
    if is_whole:
        services.ledger.runs.note_whole(now)
    failures.raise_first()
    return {"uploads": len(lost), "undelivered": ended}


def _deliver(services: Services, version: FoundVersion) -> None:
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
    """Refuse an upload, with its notice; False where it is registered in this moment after all."""
    news = undelivered(row.key, row.failure)
    try:
        services.ledger.uploads.refuse_undelivered(row, news, services.now())
    except ConcurrentChangeError:
        return False
    return True


def _is_undelivered(row: UploadRow, now: datetime) -> bool:
    delivered_at = datetime.fromisoformat(row.delivered_at)
    return row.state is UploadState.RECEIVED and now - delivered_at >= _DELIVERIES_TAKE

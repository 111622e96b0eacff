"""Find object versions that no event brought, and have them registered.

Events are delivered at least once, but rules can be off, permissions wrong, messages dead. The
bucket is the truth: each version in it has a row in the ledger, or is given one. The last three
days are looked at in each run, all of them once a day.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from adapters.inbox import FoundVersion
from adapters.services import Services
from flywheel.uploads import UploadState, is_folder_marker
from reconcile.failures import Failures

_USUAL_WINDOW = timedelta(days=3)
_WHOLE_EVERY = timedelta(days=1)
_EVENT_TAKES = timedelta(minutes=10)
"""Younger versions may have an event that is still under way."""

_STUCK_AFTER = timedelta(hours=6)
"""A row that is still RECEIVED after all deliveries of its message were tried."""


def inject_lost_uploads(services: Services) -> int:
    """Have every version without a row, or stuck at its beginning, registered; returns how many."""
    now = services.now()
    is_whole = services.ledger.runs.is_whole_due(now, _WHOLE_EVERY)
    oldest = None if is_whole else now - _USUAL_WINDOW
    found = [
        version
        for version in services.ports.inbox.versions()
        if (oldest is None or version.modified_at >= oldest)
        and now - version.modified_at >= _EVENT_TAKES
        and not is_folder_marker(version.upload.key, version.size_bytes)
    ]
    lost = _lost(services, found, now)
    failures = Failures()
    for version in lost:
        with failures.held_back("upload", uid=version.upload.uid):
            services.ports.messages.inject(version.upload, version.size_bytes)
    if is_whole:
        services.ledger.runs.note_whole(now)
    failures.raise_first()
    return len(lost)


def _lost(services: Services, found: Iterable[FoundVersion], now: datetime) -> list[FoundVersion]:
    versions = {version.upload.uid: version for version in found}
    rows = services.ledger.uploads.get_many(versions)
    lost = []
    for uid, version in versions.items():
        row = rows.get(uid)
        if row is None:
            lost.append(version)
        elif row.state is UploadState.RECEIVED:
            age = now - datetime.fromisoformat(row.received_at)
            if age >= _STUCK_AFTER:
                lost.append(version)
    return lost

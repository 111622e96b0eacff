"""Check one upload and write its canonical copy to the staging bucket.

The copy is written before the ledger says STAGED, under a name that comes from the upload's
identity, so a repeat writes the same or finds it there.
"""

import tempfile
from dataclasses import dataclass
from functools import cache

from adapters.services import Services
from flywheel import upload_news
from flywheel.batches import StagedUpload, allowance
from flywheel.labeled_documents import LabeledDocuments, csv_line
from flywheel.notices import UploadNews
from flywheel.settings import ReceivedSettings
from flywheel.uploads import ObjectVersion, Place, UploadState

_MEMORY_BYTES = 8 << 20
"""A canonical copy up to this size stays in memory; a larger one goes to the function's disk."""


@dataclass(frozen=True, slots=True)
class Staging:
    """What came of it: a refusal with the state it leads to, or at most news of rows left out."""

    refusal: UploadNews | None = None
    state: UploadState = UploadState.STAGED
    news: UploadNews | None = None


def stage(
    services: Services,
    upload: ObjectVersion,
    place: Place,
    settings: ReceivedSettings,
    flywheel_arn: str,
) -> Staging:
    """Check an upload, copy its accepted rows, and move it to STAGED unless it is refused."""
    chunks = services.ports.inbox.version_chunks(upload)
    if chunks is None:
        return Staging(upload_news.gone(upload.key), UploadState.GONE)
    labels = _labels(services, flywheel_arn)
    documents = LabeledDocuments(chunks, labels, allowance(settings.batch))
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as copy:
        for row in documents:
            copy.write(csv_line(row).encode())
        report = documents.report
        if report.is_refused:
            return Staging(upload_news.refused(upload.key, report), UploadState.REFUSED)
        staged = StagedUpload(
            uid=upload.uid,
            key=upload.key,
            kind=place.kind,
            staged_key=f"uploads/{place.flywheel}/{upload.uid}.csv",
            label_counts=report.label_counts,
            size_bytes=copy.tell(),
            staged_at=services.now(),
        )
        copy.seek(0)
        services.staging.create(staged.staged_key, copy)
    news = upload_news.taken_in_part(upload.key, report)
    services.ledger.uploads.stage(place.flywheel, staged, left_out=report.left_out, news=news)
    return Staging(news=news)


@cache
def _labels(services: Services, flywheel_arn: str) -> tuple[str, ...]:
    """Return the flywheel's labels; they are final, so they are asked for once a process."""
    return services.comprehend(flywheel_arn).labels()

"""Bring the halves of an upload together, check them, and write the canonical copy.

Of an entity upload the half that comes first waits for the other; both are staged as one upload,
that of the documents. The copy is written before the ledger says STAGED, under a name that comes
from the upload's identity, so a repeat writes the same or finds it there.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from application.configuration import KnownFlywheel
from application.ledger.pairs import PairEnd, WaitingHalf
from application.services import Services, task_config
from flywheel.batches.batches import StagedUpload
from flywheel.batches.uploads import ObjectVersion, Place, UploadState
from flywheel.errors import ConcurrentChangeError
from flywheel.intake.candidates import Stream
from flywheel.intake.labeled_documents import Allowance, LabeledDocuments, Limits, refusal_by_size
from flywheel.intake.pairs import Half, PairPlace, object_name
from flywheel.intake.reports import Report
from flywheel.notices import uploads as upload_news
from flywheel.notices.notice import UploadNews
from flywheel.settings.data_format import described_labels

_MEMORY_BYTES = 8 << 20
"""A canonical copy up to this size stays in memory; a larger one goes to the function's disk."""


@dataclass(frozen=True, slots=True)
class UploadPair:
    """Two halves that are both there.

    Parameters
    ----------
    documents, companion : ObjectVersion
    documents_state : UploadState
        WAITING where the documents came first.
    place : Place
    pair : PairPlace
    """

    documents: ObjectVersion
    companion: ObjectVersion
    documents_state: UploadState
    place: Place
    pair: PairPlace

    def ended(self, services: Services, state: UploadState) -> PairEnd:
        """Return the end of the pair, by which the companion follows the documents."""
        return services.ledger.pairs.ended(
            self.place, self.pair, self.documents, self.companion, state
        )


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
    known: KnownFlywheel,
    flywheel_arn: str,
    *,
    size_bytes: int = 0,
    pair: UploadPair | None = None,
) -> Staging:
    """Check an upload, copy its accepted rows, and move it to STAGED unless it is refused.

    Parameters
    ----------
    size_bytes : int
        What the event says; a file that no dataset could hold is refused unread.
    pair : UploadPair, optional
        Both halves, where ``upload`` is the documents of one.
    """
    rules = known.settings.batch
    limits = Limits(rules.service_max_documents, rules.service_max_bytes)
    refusal = refusal_by_size(size_bytes, limits)
    if refusal is not None:
        return Staging(upload_news.refused(upload.key, refusal), UploadState.REFUSED)
    chunks = services.ports.inbox.version_chunks(upload)
    if chunks is None:
        return Staging(upload_news.gone(upload.key), UploadState.GONE)
    beside = None
    if pair is not None:
        beside = _companion(services, pair)
        if beside is None:
            return Staging(upload_news.gone(pair.companion.key), UploadState.GONE)
    sha256 = hashlib.sha256()
    documents = LabeledDocuments(
        _hashed(chunks, sha256.update),
        described_labels(task_config(services, flywheel_arn)),
        Allowance.of(rules),
        shape=services.shape(known, flywheel_arn),
        name=object_name(upload.key),
        companion=beside,
        limits=limits,
    )
    staged = _copied(services, documents, upload, place)
    if staged is None:
        refused = upload_news.refused(upload.key, documents.report)
        return Staging(refused, UploadState.REFUSED)
    return _accepted(
        services, place, staged, report=documents.report, sha256=sha256.hexdigest(), pair=pair
    )


def _accepted(
    services: Services,
    place: Place,
    staged: StagedUpload,
    *,
    report: Report,
    sha256: str,
    pair: UploadPair | None,
) -> Staging:
    """Record that a copy waits for a batch, with news of the rows that were left out."""
    news = upload_news.accepted_in_part(staged.key, report)
    services.ledger.uploads.stage(
        place.flywheel,
        staged,
        left_out=report.left_out,
        news=news,
        sha256=sha256,
        before=pair.documents_state if pair else UploadState.RECEIVED,
        pair_end=pair.ended(services, UploadState.PAIRED) if pair else None,
    )
    return Staging(news=news)


def _companion(services: Services, pair: UploadPair) -> Stream | None:
    """Return the half that belongs to the documents, or None where it is gone."""
    chunks = services.ports.inbox.version_chunks(pair.companion)
    return None if chunks is None else Stream(object_name(pair.companion.key), chunks)


def _copied(
    services: Services, documents: LabeledDocuments, upload: ObjectVersion, place: Place
) -> StagedUpload | None:
    """Write the accepted rows to the staging bucket; none of a refused upload."""
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as copy:
        for piece in documents.canonical_copy():
            copy.write(piece)
        report = documents.report
        if report.is_refused:
            return None
        staged = StagedUpload(
            uid=upload.uid,
            key=upload.key,
            kind=place.kind,
            staged_key=f"uploads/{place.flywheel}/{upload.uid}.csv",
            label_counts=report.label_counts,
            size_bytes=copy.tell(),
            rows=report.documents,
            staged_at=services.now(),
        )
        copy.seek(0)
        services.staging.create(staged.staged_key, copy)
    return staged


def _hashed(chunks: Iterator[bytes], update: Callable[[bytes], object]) -> Iterator[bytes]:
    """Give a file's bytes, and count them into its hash."""
    for chunk in chunks:
        update(chunk)
        yield chunk


def brought_together(
    services: Services, upload: ObjectVersion, place: Place, pair: PairPlace
) -> UploadPair | None:
    """Return both halves, or None where this one has to wait."""
    try:
        return _looked(services, upload, place, pair)
    except ConcurrentChangeError:
        # Halves that are uploaded together are registered at once: now the other one waits.
        return _looked(services, upload, place, pair)


def _looked(
    services: Services, upload: ObjectVersion, place: Place, pair: PairPlace
) -> UploadPair | None:
    other = services.ledger.pairs.find(place, pair)
    if other is None:
        services.ledger.pairs.wait(place, pair, upload, services.now())
        return None
    if other.upload == upload:
        return None
    if other.half == pair.half:
        _replace(services, upload, other, place, pair)
        return None
    if pair.half is Half.DOCUMENTS:
        return UploadPair(upload, other.upload, UploadState.RECEIVED, place, pair)
    return UploadPair(other.upload, upload, UploadState.WAITING, place, pair)


def _replace(
    services: Services, upload: ObjectVersion, older: WaitingHalf, place: Place, pair: PairPlace
) -> None:
    """Let a newer version wait in the place of an older one of the same half."""
    services.ledger.pairs.give_way(place, pair, older.upload)
    services.ledger.pairs.wait(place, pair, upload, services.now())

"""Bring the two halves of an entity upload together.

The half that comes first waits; the second finds it, and both are staged as one upload, that of
the documents. A newer version of a half that waits takes its place; `flywheel uploads` says so.
"""

from dataclasses import dataclass

from application.ledger.pairs import PairEnd, WaitingHalf
from application.services import Services
from flywheel.batches.uploads import ObjectVersion, Place, UploadState
from flywheel.errors import ConcurrentChangeError
from flywheel.intake.pairs import Half, PairPlace


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

"""Look at what a chain has gained since the last run, then write its head down.

The head of the last run is in a row that no other function may write. What is not what it was
then, or does not follow from it, is reported; the new head is written all the same, since it
pins the evidence: no later rewriting fits it. Read next: `application.chain_heads`.
"""

from collections.abc import Iterable, Iterator

from application.chain_heads import report_contradiction, write_head
from application.ledger.audit import FIRST_HEAD, AuditHead, entry_hash
from application.ledger.writes import Item
from application.services import Services


def keep_head(services: Services, flywheel: str) -> None:
    """Write the head of a chain that has moved since the last run, and say what contradicts it."""
    ledger = services.ledger
    last, head = ledger.runs.last_head(flywheel) or FIRST_HEAD, ledger.audit.head(flywheel)
    if head is None or (head.seq, head.hash) == (last.seq, last.hash):
        return
    entries = ledger.audit.chain(flywheel, head.seq, first=max(1, last.seq))
    contradiction = next(_contradictions(last, entries, head), None)
    if contradiction is not None:
        report_contradiction(flywheel, contradiction)
    written = write_head(services, flywheel)
    if written is not None and written.seq > last.seq:
        ledger.runs.note_head(flywheel, head)


def _contradictions(last: AuditHead, entries: Iterable[Item], head: AuditHead) -> Iterator[str]:
    """Give what is wrong with the entries from one head to another; what follows may be, too."""
    if head.seq < last.seq:
        yield f"the chain ends with entry {head.seq}, but had {last.seq}"
    seq, before = max(1, last.seq) - 1, None if last.seq else last.hash
    for entry in entries:
        seq += 1
        if entry.get("seq") != seq:
            yield f"entry {seq} is missing or was changed"
        if entry_hash(entry) != entry.get("hash"):
            yield f"entry {seq} was changed: its content has another hash"
        if seq == last.seq and entry.get("hash") != last.hash:
            yield f"entry {seq}, or one before it, was written anew since its head was"
        if before not in {None, entry.get("previous")}:
            yield f"entry {seq} does not follow the one before it"
        before = entry.get("hash")
    if (seq, before) != (head.seq, head.hash):
        yield f"the head names entry {head.seq} by another hash than entry {seq}"

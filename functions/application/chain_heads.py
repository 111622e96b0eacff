"""Write down where an audit chain ends, outside the ledger: `chain/<flywheel>/<seq>.json`.

A head is created once and never replaced. Whoever rewrites a chain in the ledger, every hash with
it, cannot rewrite the heads: the bucket refuses it to everybody. Reconcile also checks what a chain
has gained since its last run. It reports a contradiction and writes the new head all the same,
which pins the evidence. Read next: `application.ledger.audit` (the chains).
"""

import json
from collections.abc import Iterable, Iterator

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from application.ledger.audit import FIRST_HEAD, AuditHead, entry_hash
from application.port_values import Item
from application.services import Services

logger = Logger(child=True)

METRIC_SERVICE = "audit"
"""Takes the place of the function's name, so that one alarm watches every function."""


def write_head(services: Services, flywheel: str) -> AuditHead | None:
    """Create the head of a chain as it is now, and return it; safe to repeat.

    A head that is there already and names another hash is evidence of a forgery: it is reported
    and left as it is, and the caller goes on.
    """
    head = services.ledger.audit.head(flywheel)
    if head is None:
        return None
    key = f"chain/{flywheel}/{head.seq:08}.json"
    values = {
        "flywheel": flywheel,
        "seq": head.seq,
        "hash": head.hash,
        "at": services.now().isoformat(),
    }
    body = json.dumps(values, sort_keys=True, separators=(",", ":"))
    verdicts = services.ports.verdicts
    if verdicts.create(key, body.encode()):
        return head
    # Whatever is there may be anything: it is not parsed.
    if f'"hash":"{head.hash}"' not in (verdicts.text(key) or ""):
        words = f"entry {head.seq} has another hash than {key}, or was written anew"
        report_contradiction(flywheel, words)
    return head


def report_contradiction(flywheel: str, words: str) -> None:
    """Report that a chain is not the one that its heads name; an alarm tells people."""
    logger.error("the audit contradicts its heads", flywheel=flywheel, contradiction=words)
    with single_metric(name="audit_contradictions", unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="service", value=METRIC_SERVICE)


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

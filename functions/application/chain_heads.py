"""Write down where an audit chain ends, outside the ledger: `chain/<flywheel>/<seq>.json`.

A head is created once and never replaced. Whoever rewrites a chain in the ledger, every hash with
it, cannot rewrite the heads: the bucket refuses it to everybody. Read next:
`application.ledger.audit` (the chains), `application.reconciliation.audit_heads` (who looks at
them).
"""

import json

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from application.ledger.audit import AuditHead
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

"""Write down once a day where an audit chain ends, outside the ledger.

Whoever rewrites a chain in the ledger, every hash with it, cannot rewrite what stands here: nobody
has leave to, and with Object Lock nobody can. Read next: `adapters.ledger.audit`.
"""

import json

from adapters.services import Services


def keep_daily_head(services: Services, flywheel: str) -> None:
    """Keep the head of a chain under today's date (UTC), unless an earlier run did."""
    head, now = services.ledger.audit.head(flywheel), services.now()
    if head is None:
        return
    values = {
        "flywheel": flywheel,
        "seq": head.seq,
        "hash": head.hash,
        "at": now.isoformat(),
    }
    body = json.dumps(values, sort_keys=True, separators=(",", ":"))
    services.ports.verdicts.create(f"chain/{flywheel}/{now:%Y-%m-%d}.json", body.encode())

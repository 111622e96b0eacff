"""The ledger as one value: what the functions and the command open.

Read next: `adapters.ledger.uploads`, `.flywheels`, `.batches`, `.verdicts`, `.retries`,
`.champions`, `.approvals`, `.holdings`, `.rebuilds`, `.outbox`, `.audit`, `.runs`, one module a
kind of row, and `adapters.ledger.table` below them all.
"""

from adapters.ledger.approvals import Approvals
from adapters.ledger.audit import Audit
from adapters.ledger.batches import Batches
from adapters.ledger.champions import Champions
from adapters.ledger.flywheels import Flywheels
from adapters.ledger.holdings import Holdings
from adapters.ledger.outbox import Outbox
from adapters.ledger.pairs import Pairs
from adapters.ledger.rebuilds import Rebuilds
from adapters.ledger.retries import Retries
from adapters.ledger.returned_uploads import ReturnedUploads
from adapters.ledger.runs import Runs
from adapters.ledger.uploads import Uploads
from adapters.ledger.verdicts import Verdicts
from adapters.ports import Rows


class Ledger:
    """Our DynamoDB table.

    Parameters
    ----------
    table : Rows
    actor : str
        Who acts, for the audit: the function's or the person's name.
    """

    def __init__(self, table: Rows, *, actor: str) -> None:
        self.actor = actor
        self.uploads = Uploads(table)
        self.returned_uploads = ReturnedUploads(table)
        self.flywheels = Flywheels(table, actor)
        self.batches = Batches(table, actor)
        self.verdicts = Verdicts(table, actor)
        self.retries = Retries(table, actor)
        self.holdings = Holdings(table, actor)
        self.outbox = Outbox(table)
        self.audit = Audit(table, actor)
        self.rebuilds = Rebuilds(table, actor)
        self.runs = Runs(table, actor)
        self.pairs = Pairs(table)
        self.champions = Champions(table, actor)
        self.approvals = Approvals(table, actor)

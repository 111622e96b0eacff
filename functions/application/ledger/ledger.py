"""The ledger as one value: what the functions and the command open.

Read next: `application.ledger.uploads`, `.flywheels`, `.batches`, `.verdicts`, `.retries`,
`.champions`, `.approvals`, `.holdings`, `.rebuilds`, `.outbox`, `.audit`, `.runs`, one module a
kind of row, and `adapters.ledger.table` below them all.
"""

from application.ledger.approvals import Approvals
from application.ledger.audit import Audit
from application.ledger.batches import Batches
from application.ledger.champions import Champions
from application.ledger.flywheels import Flywheels
from application.ledger.holdings import Holdings
from application.ledger.outbox import Outbox
from application.ledger.pairs import Pairs
from application.ledger.rebuilds import Rebuilds
from application.ledger.retries import Retries
from application.ledger.returned_uploads import ReturnedUploads
from application.ledger.runs import Runs
from application.ledger.uploads import Uploads
from application.ledger.verdicts import Verdicts
from application.ports import Rows


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

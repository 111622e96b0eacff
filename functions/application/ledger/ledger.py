"""The ledger as one value: what the functions and the command open.

One module per kind of row, imported at first use: a function loads only the rows that it uses.
Read next: `application.ledger.batches` (one of them), `adapters.table` (below them all).
"""

# ruff: noqa: PLC0415 - see above

from typing import TYPE_CHECKING

from application.ports import Rows

if TYPE_CHECKING:
    from application.ledger.approvals import Approvals
    from application.ledger.audit import Audit, Runs
    from application.ledger.batch_uploads import BatchUploads
    from application.ledger.batches import Batches
    from application.ledger.champions import Champions
    from application.ledger.datasets import DatasetSlots, Retries
    from application.ledger.flywheels import Flywheels
    from application.ledger.outbox import Outbox
    from application.ledger.pairs import Pairs
    from application.ledger.rebuilds import Rebuilds
    from application.ledger.uploads import Uploads
    from application.ledger.verdicts import Verdicts


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
        self._table = table

    @property
    def uploads(self) -> "Uploads":
        """Object versions of the inbox."""
        from application.ledger.uploads import Uploads

        return Uploads(self._table)

    @property
    def batch_uploads(self) -> "BatchUploads":
        """Uploads as batches and generations have them."""
        from application.ledger.batch_uploads import BatchUploads

        return BatchUploads(self._table)

    @property
    def flywheels(self) -> "Flywheels":
        """Flywheels: their generation, champion, slots and pauses."""
        from application.ledger.flywheels import Flywheels

        return Flywheels(self._table, self.actor)

    @property
    def batches(self) -> "Batches":
        """Batches and their attempts."""
        from application.ledger.batches import Batches

        return Batches(self._table, self.actor)

    @property
    def verdicts(self) -> "Verdicts":
        """Verdicts."""
        from application.ledger.verdicts import Verdicts

        return Verdicts(self._table, self.actor)

    @property
    def retries(self) -> "Retries":
        """Failed batches that have another attempt."""
        from application.ledger.datasets import Retries

        return Retries(self._table, self.actor)

    @property
    def holdings(self) -> "DatasetSlots":
        """Dataset slots and known rows."""
        from application.ledger.datasets import DatasetSlots

        return DatasetSlots(self._table, self.actor)

    @property
    def outbox(self) -> "Outbox":
        """Notices that wait to be sent."""
        from application.ledger.outbox import Outbox

        return Outbox(self._table)

    @property
    def audit(self) -> "Audit":
        """The hash chains."""
        from application.ledger.audit import Audit

        return Audit(self._table, self.actor)

    @property
    def rebuilds(self) -> "Rebuilds":
        """Generations."""
        from application.ledger.rebuilds import Rebuilds

        return Rebuilds(self._table, self.actor)

    @property
    def runs(self) -> "Runs":
        """Runs of the reconciliation."""
        from application.ledger.audit import Runs

        return Runs(self._table, self.actor)

    @property
    def pairs(self) -> "Pairs":
        """Uploads that are halves of a pair."""
        from application.ledger.pairs import Pairs

        return Pairs(self._table)

    @property
    def champions(self) -> "Champions":
        """Active models, and who made them so."""
        from application.ledger.champions import Champions

        return Champions(self._table, self.actor)

    @property
    def approvals(self) -> "Approvals":
        """Questions to people, and their answers."""
        from application.ledger.approvals import Approvals

        return Approvals(self._table, self.actor)

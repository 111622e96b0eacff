"""What the service measured of single labels, as far as it is of today's frozen test set.

Decides what proves that. A model's own metrics are of the test data of its own training, so they
count only where the ledger shows that no test set was frozen since, and the service counts as many
test documents as the frozen set has. Read next: `flywheel.evaluation.label_metrics`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.test_sets import FrozenTestSet
from application.services import Services
from flywheel.errors import LabelsUnknownError, ServiceBusyError, ServiceRefusedError
from flywheel.evaluation.effective_rules import Metrics, usable
from flywheel.evaluation.evidence import MeasuredLabels

_F1 = "AverageF1Score"


@dataclass(frozen=True, slots=True)
class PerLabelMetrics:
    """The labels that a policy names, of the models of one iteration.

    Parameters
    ----------
    services : Services
    row : FlywheelRow
    names : set of str
        The labels.
    batch : BatchRow or None
        Whose iteration it is; None where it was started elsewhere.
    """

    services: Services
    row: FlywheelRow
    names: set[str]
    batch: BatchRow | None

    def measured(
        self,
        champion: tuple[str, Metrics] | None,
        challenger: tuple[str, Metrics] | None,
    ) -> MeasuredLabels | None:
        """Return what is known of both models; None where the policy names no label.

        What cannot be had is named and is no error: both models' answers can still be asked for.

        Parameters
        ----------
        champion, challenger : tuple of str and mapping, or None
            ARN and averages.
        """
        if not self.names:
            return None
        old = new = None
        try:
            frozen = self._frozen()
            if challenger is not None:
                self._check_set(self.batch, frozen, "the iteration")
                new = self._values(*challenger, frozen)
            if champion is not None:
                self._check_set(self._trained_by(champion[0], frozen), frozen, "the champion")
                old = self._values(*champion, frozen)
        except ServiceBusyError as error:
            return MeasuredLabels(old, new, f"{error.operation} was busy ({error.code})")
        except (LabelsUnknownError, ServiceRefusedError) as error:
            return MeasuredLabels(old, new, str(error))
        return MeasuredLabels(old, new)

    def _frozen(self) -> FrozenTestSet:
        if self.row.test_set is None:
            raise LabelsUnknownError("the rows of the test set did not come through this system")
        return self.row.test_set

    def _check_set(self, batch: BatchRow | None, frozen: FrozenTestSet, who: str) -> None:
        """Refuse where today's test set may not have been the one of a batch's iteration.

        A batch is announced before its iteration starts, and what it freezes is frozen with that.
        """
        if batch is None:
            raise LabelsUnknownError(f"no batch tells on which test set {who} was measured")
        if batch.rejudges is not None or not _is_since(batch.announced_at, frozen.frozen_at):
            raise LabelsUnknownError(f"{who} was measured on an earlier test set than today's")

    def _trained_by(self, model: str, frozen: FrozenTestSet) -> BatchRow | None:
        """Return the batch whose verdict on this test set was about a model; None for none."""
        ledger = self.services.ledger
        numbers = [
            entry.batch
            for entry in ledger.champions.history(self.row.name)
            if entry.model == model and entry.batch is not None
        ]
        for batch in ledger.batches.get_many(self.row.name, sorted({*numbers})):
            stored = ledger.verdicts.get(batch)
            judged = stored.verdict.evidence if stored else None
            if judged is not None and judged.challenger_arn == model:
                if judged.test_set is None or judged.test_set.sha256 != frozen.sha256:
                    raise LabelsUnknownError("the champion was measured on another test set")
                return batch
        return None

    def _values(
        self, model: str, averages: Metrics, frozen: FrozenTestSet
    ) -> Mapping[str, Metrics]:
        """Return a model's values of the labels.

        Raises
        ------
        LabelsUnknownError
            They are of other documents than those of the test set.
        """
        comprehend = self.services.comprehend(self.row.arn)
        labels = comprehend.model_labels(model, usable(averages, _F1))
        counts = {name: frozen.label_counts.get(name, 0) for name in labels.support}
        if labels.documents != frozen.documents or labels.support != counts:
            raise LabelsUnknownError(
                f"the service tested {model} on {labels.documents} documents, or on others of each "
                f"label than the frozen test set has, which are {frozen.documents}"
            )
        return {name: labels.values[name] for name in sorted(self.names & labels.values.keys())}


def _is_since(moment: str | None, earlier: str) -> bool:
    return moment is not None and datetime.fromisoformat(moment) >= datetime.fromisoformat(earlier)

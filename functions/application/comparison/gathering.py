"""What one iteration shows, gathered from the service for `flywheel.evaluation.verdict.decide`.

Decides who the champion is; judges nothing. Read next: `application.comparison.measured_labels`.
"""

from application.comparison.measured_labels import PerLabelMetrics
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ports import FlywheelService
from application.service_values import Iteration
from application.services import Services
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.evidence import Evidence, TestSetFacts, averages
from flywheel.evaluation.predictions import kind_of


def evidence_of(
    services: Services,
    known: KnownFlywheel,
    row: FlywheelRow,
    iteration: Iteration,
    batch: BatchRow | None = None,
) -> Evidence:
    """Return the evidence of an iteration that has ended; the answers of models are not in it.

    Parameters
    ----------
    batch : BatchRow, optional
        Whose iteration it is; none where it was started elsewhere.
    """
    comprehend = services.comprehend(row.arn)
    champion = _champion(comprehend, iteration)
    challenger = iteration.trained_model
    old, new = averages(iteration.evaluated_metrics), averages(iteration.trained_metrics)
    labels = PerLabelMetrics(services, row, known.settings.policy.labels_named(), batch)
    return Evidence(
        champion_arn=champion,
        champion=old if champion else None,
        challenger_arn=challenger,
        challenger=new,
        has_test_set=comprehend.has_dataset(DatasetKind.TEST),
        kind=kind_of(services.shape(known, row.arn)),
        test_set=_test_set(services, row, batch),
        labels=labels.measured(
            (champion, old) if champion else None, (challenger, new) if challenger else None
        ),
        anchor_arn=_anchor(services, known, row, champion, challenger),
    )


def _test_set(services: Services, row: FlywheelRow, batch: BatchRow | None) -> TestSetFacts | None:
    """Return the frozen test set and how often it, and the pair of models, was looked at."""
    frozen = row.test_set
    if frozen is None:
        return None
    return TestSetFacts(
        frozen.sha256,
        frozen.documents,
        frozen.label_counts,
        frozen.looks,
        generation_looks=row.generation_looks,
        pair_looks=len(services.ledger.batches.judged_again(batch)) if batch else 0,
        groups=frozen.groups,
        label_groups=frozen.label_groups,
        grouping=frozen.grouping,
    )


def _anchor(
    services: Services,
    known: KnownFlywheel,
    row: FlywheelRow,
    champion: str | None,
    challenger: str | None,
) -> str | None:
    """Return the model that the challenger must be no worse than either, beside the champion.

    Champions of earlier releases moved no anchor: there the first of them is it.
    """
    if champion is None or known.settings.policy.comparison != "non-inferiority":
        return None
    anchor = row.anchor
    if anchor is None:
        history = services.ledger.champions.history(row.name)
        anchor = next((entry.model for entry in history if entry.model), None)
    return None if anchor in {champion, challenger} else anchor


def _champion(comprehend: FlywheelService, iteration: Iteration) -> str | None:
    """Return the model that the challenger must beat; None only where none is active.

    An iteration may leave out what it evaluated. Then an active model is the champion all the
    same, without metrics, so that the verdict is HOLD and not that of a first model. The service
    may make a first model active by itself: that is no champion.
    """
    if iteration.evaluated_model is not None:
        return iteration.evaluated_model
    active = comprehend.describe().active_model
    return None if active == iteration.trained_model else active

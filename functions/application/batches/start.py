"""StartIteration: tell people, then start the flywheel's iteration, once.

The notice goes out before any money is spent. An iteration that somebody else runs is waited for;
one that began after our datasets were complete and that no batch has booked is ours: the reply to
an earlier try was lost. A batch that has a held challenger judged again starts none: it takes that
challenger's iteration, which is over.
"""

from typing import Any

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.notices import batch_facts
from application.ports import FlywheelService
from application.services import Services
from flywheel.batches.batches import BatchState
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ServiceRefusedError
from flywheel.notices.batches import rejudging, started

_FIRST_LOOK_FRACTION = 0.8
"""The first look comes when this part of an average iteration's time has passed."""


def start(
    services: Services, flywheel: str, number: int, looks_left: int | None = None
) -> dict[str, Any]:
    """Start a batch's iteration, from whatever state the ledger has it in.

    Parameters
    ----------
    looks_left : int, optional
        What waiting for the flywheel has left of the deadline; all of it by default.

    Returns
    -------
    dict
        ``is_started``; when true also ``iteration_id``, ``wait_seconds`` until the first look, and
        ``looks_left`` before the deadline.
    """
    ledger = services.ledger
    known, batch = services.flywheel(flywheel), ledger.batches.get(flywheel, number)
    row = ledger.flywheels.ensure(flywheel, known.arn)
    iteration_id = batch.iteration_id
    if batch.state is BatchState.SEALED:
        comprehend = services.comprehend(row.arn)
        if batch.announced_at is None:
            _require_training_data(comprehend, batch)
            _announce(services, comprehend, batch, row)
        iteration_id = _iteration_id(services, comprehend, batch, row)
        if iteration_id is None:
            return {"is_started": False}
        ledger.batches.start(batch, iteration_id, services.now())
    past = row.past_seconds
    rules = known.settings.batch
    is_new = batch.rejudges is None
    planned = int(_FIRST_LOOK_FRACTION * sum(past) / len(past)) if past and is_new else 0
    looks = rules.iteration_looks if looks_left is None else looks_left
    wait_seconds = min(max(rules.poll_seconds, planned), max(1, looks) * rules.poll_seconds)
    return {
        "is_started": True,
        "iteration_id": iteration_id,
        "wait_seconds": wait_seconds,
        "looks_left": max(0, looks - wait_seconds // rules.poll_seconds),
    }


def _require_training_data(comprehend: FlywheelService, batch: BatchRow) -> None:
    """Refuse to pay for an iteration that would train on nothing.

    A retried batch may have test rows alone, since an earlier batch sealed the same training rows;
    but that one may have ended before they became a dataset.
    """
    has_rows = batch.documents or batch.rejudges is not None
    if not has_rows and not comprehend.has_dataset(DatasetKind.TRAIN):
        raise ServiceRefusedError(
            "comprehend:StartFlywheelIteration",
            "NoTrainingData",
            "the flywheel has no complete TRAIN dataset; retry the failed batch that holds the "
            "training rows first",
        )


def _iteration_id(
    services: Services, comprehend: FlywheelService, batch: BatchRow, row: FlywheelRow
) -> str | None:
    """Return the iteration that was started for this batch; None while another one runs."""
    if batch.rejudges is not None:
        return services.ledger.batches.get(row.name, batch.rejudges).iteration_id
    token = batch.name.token("iteration", row.arn)
    iteration_id = comprehend.start_iteration(token)
    if iteration_id is not None:
        return iteration_id
    complete_at = max(comprehend.dataset_completed_at(arn) for arn in batch.datasets)
    running = (iteration for iteration in comprehend.iterations() if iteration.is_running)
    ours = (
        iteration.id
        for iteration in running
        if iteration.created_at >= complete_at
        # The ledger and not our clock says that it is nobody else's.
        and not services.ledger.flywheels.knows_iteration(row.name, iteration.id)
    )
    return next(ours, None)


def _announce(
    services: Services, comprehend: FlywheelService, batch: BatchRow, row: FlywheelRow
) -> None:
    facts = batch_facts(services, batch, row, comprehend.describe().active_model)
    if batch.rejudges is None:
        notice = started(
            facts,
            documents=batch.documents,
            test_documents=batch.test_documents,
            label_counts=batch.label_counts,
            left_out=batch.left_out,
            waiting_labels=batch.waiting_labels,
            has_test_set=comprehend.has_dataset(DatasetKind.TEST),
            past_seconds=row.past_seconds,
        )
    else:
        counted = batch.test_documents if batch.is_test_frozen else 0
        notice = rejudging(
            facts,
            batch.rejudges,
            documents=batch.test_documents,
            before=row.test_documents - counted,
            left_out=batch.left_out,
        )
    if services.ledger.batches.announce(batch, row, notice, services.now()):
        services.notices.publish(batch.flywheel, notice)

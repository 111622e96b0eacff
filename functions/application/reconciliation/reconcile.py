"""Reconcile: repair what events, crashes and time leave behind.

Runs on a schedule and, for upload notices whose window is over, from their queue. In order:
notices that were not sent, uploads whose event was lost, executions that ended without closing
their batch, batches whose execution never began, flywheels that only time makes ready, iterations
and champions that are not ours, acts of people that were cut off, a service that is not ready, and
the heads of the audit. Each run is a row, an audit entry and a metric of its own.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit

from application.chain_heads import keep_head
from application.configuration import KnownFlywheel
from application.error_handling import Failures
from application.ledger.audit import ENVIRONMENT
from application.ledger.batch_rows import BatchRow
from application.reconciliation.late_arrivals import end_late_pairs, settle_late_datasets
from application.reconciliation.lost_uploads import look_for_lost_uploads
from application.reconciliation.outside_changes import report_champion, report_iterations
from application.services import Services
from flywheel.batches.batches import BatchState

_READY = "ACTIVE"
_ITERATION_STATUSES = frozenset(
    {"TRAINING", "EVALUATING", "COMPLETED", "FAILED", "STOP_REQUESTED", "STOPPED"}
)
"""*Source*: botocore, FlywheelIterationStatus."""


def send_digests(services: Services, flywheel: str) -> int:
    """Send one flywheel's upload news, whose window is over, as one notice."""
    return services.notices.publish_digests(timedelta(0), flywheel)


def reconcile(services: Services, failures: Failures) -> dict[str, int]:
    """Look at everything once; returns how much of each kind was set right.

    Parameters
    ----------
    failures : Failures
        Holds what fails; all else is looked at.
    """
    window = timedelta(seconds=services.configuration.notice_window_seconds)
    counts = Counter[str]()
    # Notices first: a trouble with one flywheel below must not keep people waiting.
    with failures.held_back("notices"):
        counts["notices"] += services.notices.publish_pending()
    with failures.held_back("digests"):
        counts["notices"] += services.notices.publish_digests(window)
    with failures.held_back("uploads"):
        counts.update(look_for_lost_uploads(services, failures))
    for known in services.flywheels().values():
        for kind, look in _LOOKS:
            with failures.held_back(kind, flywheel=known.settings.name):
                counts[kind] += int(look(services, known))
        for look_after in (_carry_rebuild_on, _measure_slots, _keep_head):
            with failures.held_back(look_after.__name__, flywheel=known.settings.name):
                look_after(services, known)
    with failures.held_back("run"):
        services.ledger.runs.note(counts, services.now())
    with failures.held_back("audit"):
        keep_head(services, ENVIRONMENT)
    return dict(counts)


def _carry_rebuild_on(services: Services, known: KnownFlywheel) -> None:
    row = services.ledger.flywheels.get(known.settings.name)
    if row is not None and row.rebuild is not None:
        # It looks for itself whether it can go on.
        services.ports.functions.invoke("rebuild_flywheel", {"flywheel": row.name})


def _keep_head(services: Services, known: KnownFlywheel) -> None:
    row = services.ledger.flywheels.get(known.settings.name)
    if row is not None:
        keep_head(services, row.name)


def _measure_slots(services: Services, known: KnownFlywheel) -> None:
    """Measure how many datasets of a flywheel's life are used; an alarm watches it."""
    row, rules = services.ledger.flywheels.get(known.settings.name), known.settings.batch
    if row is None:
        return
    used = max(
        row.train_datasets / rules.service_train_datasets,
        row.test_datasets / rules.service_test_datasets,
    )
    with single_metric(
        name="dataset_slots_used_percent", unit=MetricUnit.Percent, value=100 * used
    ) as metric:
        metric.add_dimension(name="flywheel", value=row.name)


def _open_batch(services: Services, known: KnownFlywheel) -> bool:
    batch, _ = services.workflow.open_when_ready(known, services.now())
    return batch is not None


def _continue_batch(services: Services, known: KnownFlywheel) -> bool:
    """Restart or close a batch that nobody works on; False where all is as it should be."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None or row.open_batch is None:
        return False
    batch = services.ledger.batches.get(row.name, row.open_batch)
    execution = services.workflow.status(batch)
    if execution is None:
        services.workflow.start(known, batch)
        return True
    status, error, cause = execution
    if status == "RUNNING":
        return False
    if batch.state is BatchState.CLOSED:
        failure = None
    else:
        failure = {"error": error or f"Execution{status.title()}", "cause": cause}
    _close(services, batch, failure)
    return True


def _close(services: Services, batch: BatchRow, failure: dict[str, str] | None) -> None:
    event = {
        "execution": {
            "flywheel": batch.flywheel,
            "batch": batch.batch,
            "attempt": batch.attempt,
            "failure": failure,
        },
        "state_machine_arn": services.configuration.state_machine_arn,
    }
    services.ports.functions.invoke("close_batch", event)


def carry_acts_on(services: Services, known: KnownFlywheel) -> int:
    """Call the functions that must finish an act of a person; returns how many.

    A change of the champion goes on from where it is. An answer that was recorded and did not reach
    the workflow is sent again.
    """
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return 0
    called = 0
    if row.change is not None:
        services.ports.functions.invoke("change_champion", {"flywheel": row.name})
        called += 1
    if row.open_batch is not None:
        batch = services.ledger.batches.get(row.name, row.open_batch)
        approval = services.ledger.approvals.get(batch)
        if approval is not None and approval.is_answered and approval.sent_at is None:
            asked = {"flywheel": row.name, "batch": batch.batch}
            services.ports.functions.invoke("answer_approval", asked)
            called += 1
    return called


def is_unready(services: Services, known: KnownFlywheel) -> bool:
    """Say whether a flywheel is not ACTIVE, or its iteration in a status that is not known.

    Both may pass by themselves, so nothing is done here; an alarm watches whether they last.
    """
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return False
    comprehend = services.comprehend(row.arn)
    if comprehend.describe().status != _READY:
        return True
    if row.open_batch is None:
        return False
    batch = services.ledger.batches.get(row.name, row.open_batch)
    if batch.state is not BatchState.STARTED or batch.iteration_id is None:
        return False
    return comprehend.iteration(batch.iteration_id).status not in _ITERATION_STATUSES


_LOOKS: Sequence[tuple[str, Callable[[Services, KnownFlywheel], int]]] = (
    ("batches", _continue_batch),
    ("opened", _open_batch),
    ("acts", carry_acts_on),
    ("outside", report_iterations),
    ("outside", report_champion),
    ("pairs", end_late_pairs),
    ("datasets", settle_late_datasets),
    ("unready", is_unready),
)
"""What is looked at for each flywheel, in order, with the name of its count."""

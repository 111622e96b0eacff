"""Which model a person's act is about, or why there is none.

Reads the ledger and the service, changes nothing. Read next: `flywheel.evaluation.champions`.
"""

from collections.abc import Sequence

from application.ledger.flywheel_rows import FlywheelRow
from application.ports import FlywheelService
from application.services import Services
from flywheel.errors import ActRefusedError, BatchNotFoundError
from flywheel.evaluation.champions import TRAINED_STATUSES, Champion, rollback_target


def rollback_model(services: Services, row: FlywheelRow, active: str | None) -> str:
    """Return the model that was live before the present champion.

    Raises
    ------
    ActRefusedError
        There is none.
    """
    history = services.ledger.champions.history(row.name)
    found = rollback_target(history, active, row.barred)
    if found is None:
        raise ActRefusedError(_no_earlier(row, history, active))
    return found


def _no_earlier(row: FlywheelRow, history: Sequence[Champion], active: str | None) -> str:
    """Say why there is nothing to go back to, and what can be done instead."""
    problem = f"{row.name} has no earlier champion to go back to"
    left = next(
        (champion.model for champion in reversed(history) if champion.model != active), None
    )
    if left is None:
        return (
            f"{problem}: {active or 'no model'} is the first one. To make another trained model "
            f"live: flywheel promote MODEL {row.name} --reason TEXT (flywheel history {row.name} "
            "lists verdicts, whose numbers stand for their models)"
        )
    return (
        f"{problem}: all others were rolled back from. To make the one that was live before this "
        f"one live again: flywheel promote {left} {row.name} --reason TEXT"
    )


def promoted_model(services: Services, row: FlywheelRow, asked: str) -> str:
    """Return the model that a person names, by ARN or by its verdict's number.

    Raises
    ------
    ActRefusedError
        It is none of this flywheel's.
    """
    if asked.isdigit():
        return _challenger(services, row, int(asked))
    if not asked.startswith("arn:"):
        raise ActRefusedError(f"{asked!r} is neither a model's ARN nor a verdict's number")
    history = services.ledger.champions.history(row.name)
    if any(champion.model == asked for champion in history):
        return asked
    facts = services.comprehend(row.arn).model(asked)
    if facts is None:
        raise ActRefusedError(f"there is no model {asked}")
    own = {row.arn, *services.ledger.flywheels.earlier_arns(row)}
    if facts.flywheel_arn not in own:
        raise ActRefusedError(f"{asked} is no version that {row.name} trained")
    return asked


def checked(comprehend: FlywheelService, model: str) -> None:
    """Refuse a model that cannot be live.

    Raises
    ------
    ActRefusedError
        It was deleted, or is not trained.
    """
    facts = comprehend.model(model)
    if facts is None:
        raise ActRefusedError(f"{model} does not exist any more")
    if facts.status not in TRAINED_STATUSES:
        raise ActRefusedError(f"{model} is {facts.status}: only a trained model can be active")


def _challenger(services: Services, row: FlywheelRow, number: int) -> str:
    try:
        stored = services.ledger.verdicts.get(services.ledger.batches.get(row.name, number))
    except BatchNotFoundError as error:
        raise ActRefusedError(str(error)) from error
    model = stored.verdict.evidence.challenger_arn if stored else None
    if model is None:
        raise ActRefusedError(f"batch {number} of {row.name} has no verdict that names a model")
    return model

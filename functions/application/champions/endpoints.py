"""Which endpoints serve a model that has just gone live."""

from aws_lambda_powertools import Logger

from application.ledger.flywheel_rows import FlywheelRow
from application.services import Services
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.notices.endpoints import endpoint_words

logger = Logger(child=True)


def followers(
    services: Services, row: FlywheelRow, before: str | None, live_model: str
) -> list[str]:
    """Return what is told of endpoints after a model went live; never an error.

    A model is live whether its endpoints can be listed or not.
    """
    history = services.ledger.champions.history(row.name)
    models = {model for model in (before, *(item.model for item in history)) if model}
    try:
        endpoints = services.comprehend(row.arn).endpoints()
    except (ServiceBusyError, ServiceRefusedError) as error:
        logger.warning("endpoints cannot be listed", reason=str(error))
        return [f"Which endpoints follow the flywheel is not known: {error}"]
    return endpoint_words(endpoints, row.arn, live_model, models)

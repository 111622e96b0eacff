"""The one wiring file: everything a function uses, made from its configuration.

A handler asks for `services()` and gets clients, ledger and clock in one value. Tests make their
own `Services` and put it in the place of this one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapters.clients import client
from adapters.comprehend import Comprehend
from adapters.configuration import (
    FunctionConfiguration,
    KnownFlywheel,
    configuration,
    known_flywheels,
)
from adapters.ledger.ledger import Ledger
from adapters.notices import Notices
from adapters.objects import Objects
from adapters.workflow import Workflow
from flywheel.errors import BatchNotFoundError


@dataclass(frozen=True, slots=True)
class Services:
    """What one function uses.

    Parameters
    ----------
    actor : str
        The function's name, for the audit.
    configuration : FunctionConfiguration
    now : callable
        The clock: an aware time in UTC.
    """

    actor: str
    configuration: FunctionConfiguration
    now: Callable[[], datetime]

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger(self.configuration.ledger_table, client("dynamodb"), actor=self.actor)

    @property
    def staging(self) -> Objects:
        """The staging bucket."""
        return Objects(self.configuration.staging_bucket, client("s3"))

    @property
    def notices(self) -> Notices:
        """The topic, with the outbox before it."""
        settings = self.configuration
        return Notices(
            settings.environment, settings.topic_arn, client("sns"), self.ledger, self.now
        )

    @property
    def workflow(self) -> Workflow:
        """The state machine."""
        return Workflow(self.configuration.state_machine_arn, client("stepfunctions"), self.ledger)

    def comprehend(self, flywheel_arn: str) -> Comprehend:
        """Return the service's calls on one flywheel."""
        return Comprehend(flywheel_arn, client("comprehend"))

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name, as deployed."""
        return known_flywheels(client("ssm"), self.configuration.settings_path)

    def flywheel(self, name: str) -> KnownFlywheel:
        """Return one flywheel.

        Raises
        ------
        BatchNotFoundError
            The environment has no such flywheel (any more).
        """
        known = self.flywheels().get(name)
        if known is None:
            raise BatchNotFoundError(f"the environment has no flywheel {name!r}")
        return known


def services(actor: str, *, state_machine_arn: str | None = None) -> Services:
    """Return the services of a function that runs in Lambda.

    Parameters
    ----------
    actor : str
        The function's name.
    state_machine_arn : str, optional
        For a function whose environment cannot name the state machine.
    """
    settings = configuration()
    if state_machine_arn is not None:
        settings = replace(settings, state_machine_arn=state_machine_arn)
    return Services(actor, settings, _utc_now)


def _utc_now() -> datetime:
    return datetime.now(UTC)

"""What one function uses: its configuration, the ledger, the ports and the clock.

Knows no AWS; `adapters.wiring` makes it for Lambda, tests and the simulator make their own. What
not every function needs is imported at first use.
"""

# ruff: noqa: PLC0415 - see above

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from application.configuration import FunctionConfiguration, KnownFlywheel
from application.ledger.ledger import Ledger
from application.ports import AnswerService, FlywheelService, Ports, StagingObjects
from flywheel.errors import BatchNotFoundError
from flywheel.settings.data_format import DataFormat

if TYPE_CHECKING:
    from application.batches.workflow import Workflow
    from application.notices import Notices


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
    ports : Ports
    """

    actor: str
    configuration: FunctionConfiguration
    now: Callable[[], datetime]
    ports: Ports

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger(self.ports.table, actor=self.actor)

    @property
    def staging(self) -> StagingObjects:
        """The staging bucket."""
        return self.ports.staging

    @property
    def notices(self) -> "Notices":
        """The topic, with the outbox before it."""
        from application.notices import Notices

        return Notices(self.configuration.environment, self.ports.topic, self.ledger, self.now)

    @property
    def workflow(self) -> "Workflow":
        """The batch rules and the state machine."""
        from application.batches.workflow import Workflow

        return Workflow(self.ports.executions, self.ledger)

    def comprehend(self, flywheel_arn: str) -> FlywheelService:
        """Return the service's calls on one flywheel."""
        return self.ports.comprehend(flywheel_arn)

    def answer_jobs(self, flywheel_arn: str) -> AnswerService:
        """Return the jobs in which models of one flywheel answer documents."""
        return self.ports.answer_jobs(flywheel_arn)

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name, as deployed."""
        return self.ports.flywheels()

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

    def shape(self, known: KnownFlywheel, flywheel_arn: str) -> DataFormat:
        """Return what a flywheel's rows are."""
        return known.shape(lambda: self.task_config(flywheel_arn))

    def task_config(self, flywheel_arn: str) -> Mapping[str, Any]:
        """Return a flywheel's task and labels."""
        return task_config(self, flywheel_arn)


@cache
def task_config(services: Services, flywheel_arn: str) -> Mapping[str, Any]:
    """Return a flywheel's task and labels; they are final, so they are asked for once a process."""
    return services.comprehend(flywheel_arn).task_config()

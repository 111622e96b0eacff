"""The one wiring file: everything a function uses, made from its configuration.

A handler asks for `services()` and gets ledger, ports and clock in one value. Tests and the
simulator make their own `Services` and put it in the place of this one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapters.answer_jobs import AnswerJobs
from adapters.clients import client
from adapters.comprehend import Comprehend
from adapters.configuration import (
    FunctionConfiguration,
    KnownFlywheel,
    configuration,
    known_flywheels,
)
from adapters.inbox import InboxBucket
from adapters.invocations import Invocations
from adapters.ledger.ledger import Ledger
from adapters.ledger.table import Table
from adapters.messages import Queues
from adapters.notices import Notices
from adapters.objects import Objects
from adapters.ports import (
    AnswerService,
    Executions,
    FlywheelService,
    Functions,
    InboxObjects,
    KeptObjects,
    Messages,
    Ports,
    Rows,
    StagingObjects,
    Topic,
)
from adapters.topic import NoticeTopic
from adapters.workflow import StateMachine, Workflow
from flywheel.errors import BatchNotFoundError
from flywheel.settings.data_format import Shape


@dataclass(frozen=True, slots=True)
class AwsPorts:
    """The ports as boto3 reaches them; clients are made at first use."""

    configuration: FunctionConfiguration

    @property
    def table(self) -> Rows:
        """The ledger's table."""
        return Table(self.configuration.ledger_table, client("dynamodb"))

    @property
    def staging(self) -> StagingObjects:
        """The staging bucket."""
        return Objects(self.configuration.staging_bucket, client("s3"))

    @property
    def verdicts(self) -> KeptObjects:
        """The bucket of verdicts."""
        return Objects(self.configuration.verdicts_bucket, client("s3"))

    @property
    def inbox(self) -> InboxObjects:
        """The inbox bucket."""
        return InboxBucket(self.configuration.inbox_bucket, client("s3"))

    @property
    def topic(self) -> Topic:
        """The notices topic."""
        return NoticeTopic(self.configuration.topic_arn, client("sns"))

    @property
    def messages(self) -> Messages:
        """The queues."""
        settings = self.configuration
        return Queues(settings.uploads_queue_url, settings.notices_due_queue_url, client("sqs"))

    @property
    def executions(self) -> Executions:
        """The state machine."""
        return StateMachine(self.configuration.state_machine_arn, client("stepfunctions"))

    @property
    def functions(self) -> Functions:
        """Other functions."""
        settings = self.configuration
        return Invocations(
            settings.close_batch_function,
            settings.rebuild_flywheel_function,
            settings.compare_models_function,
            settings.change_champion_function,
            settings.answer_approval_function,
            client("lambda"),
        )

    def comprehend(self, flywheel_arn: str) -> FlywheelService:
        """Return the service's calls on one flywheel."""
        return Comprehend(flywheel_arn, client("comprehend"), client("s3"))

    def answer_jobs(self, flywheel_arn: str) -> AnswerService:
        """Return the jobs in which models of one flywheel answer documents."""
        return AnswerJobs(flywheel_arn, client("comprehend"))

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name, as deployed."""
        return known_flywheels(client("ssm"), self.configuration.settings_path)


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
    def notices(self) -> Notices:
        """The topic, with the outbox before it."""
        return Notices(self.configuration.environment, self.ports.topic, self.ledger, self.now)

    @property
    def workflow(self) -> Workflow:
        """The batch rules and the state machine."""
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

    def shape(self, known: KnownFlywheel, flywheel_arn: str) -> Shape:
        """Return what a flywheel's rows are."""
        return known.shape(lambda: self.task_config(flywheel_arn))

    def task_config(self, flywheel_arn: str) -> Mapping[str, Any]:
        """Return a flywheel's task and labels."""
        return task_config(self, flywheel_arn)


@cache
def task_config(services: Services, flywheel_arn: str) -> Mapping[str, Any]:
    """Return a flywheel's task and labels; they are final, so they are asked for once a process."""
    return services.comprehend(flywheel_arn).task_config()


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
    return Services(actor, settings, _utc_now, AwsPorts(settings))


def _utc_now() -> datetime:
    return datetime.now(UTC)

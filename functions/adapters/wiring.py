"""The one wiring file: the ports as boto3 reaches them, and the services of a function.

A handler asks for `services()` and gets ledger, ports and clock in one value. Tests and the
simulator make their own `Services` and put it in the place of this one. An adapter is imported at
first use: a function loads only those that it uses.
"""

# ruff: noqa: PLC0415 - see above

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapters.clients import client
from adapters.parameters import configuration, known_flywheels
from application.configuration import FunctionConfiguration, KnownFlywheel
from application.ports import (
    AnswerService,
    Executions,
    FlywheelService,
    Functions,
    Generations,
    InboxObjects,
    Messages,
    Rows,
    StagingObjects,
    Topic,
    VerdictObjects,
)
from application.services import Services


@dataclass(frozen=True, slots=True)
class AwsPorts:
    """The ports as boto3 reaches them; clients are made at first use."""

    configuration: FunctionConfiguration

    @property
    def table(self) -> Rows:
        """The ledger's table."""
        from adapters.table import Table

        return Table(self.configuration.ledger_table, client("dynamodb"))

    @property
    def staging(self) -> StagingObjects:
        """The staging bucket."""
        from adapters.objects import Objects

        return Objects(self.configuration.staging_bucket, client("s3"))

    @property
    def verdicts(self) -> VerdictObjects:
        """The bucket of verdicts."""
        from adapters.objects import Objects

        return Objects(self.configuration.verdicts_bucket, client("s3"))

    @property
    def inbox(self) -> InboxObjects:
        """The inbox bucket."""
        from adapters.objects import InboxBucket

        return InboxBucket(self.configuration.inbox_bucket, client("s3"))

    @property
    def topic(self) -> Topic:
        """The notices topic."""
        from adapters.messages import SnsTopic

        return SnsTopic(self.configuration.topic_arn, client("sns"))

    @property
    def messages(self) -> Messages:
        """The queues."""
        from adapters.messages import Queues

        settings = self.configuration
        uploads = settings.needed("uploads_queue_url")
        return Queues(uploads, settings.notices_due_queue_url, client("sqs"))

    @property
    def executions(self) -> Executions:
        """The state machine."""
        from adapters.executions import StateMachine

        return StateMachine(self.configuration.needed("state_machine_arn"), client("stepfunctions"))

    @property
    def functions(self) -> Functions:
        """Other functions."""
        from adapters.executions import Invocations

        return Invocations(self.configuration, client("lambda"))

    @property
    def generations(self) -> Generations:
        """What makes a flywheel's next generation."""
        from adapters.generations import ComprehendGenerations

        return ComprehendGenerations(client("comprehend"))

    def comprehend(self, flywheel_arn: str) -> FlywheelService:
        """Return the service's calls on one flywheel."""
        from adapters.comprehend import Comprehend

        return Comprehend(flywheel_arn, client("comprehend"), client("s3"))

    def answer_jobs(self, flywheel_arn: str) -> AnswerService:
        """Return the jobs in which models of one flywheel answer documents."""
        from adapters.answer_jobs import AnswerJobs

        return AnswerJobs(flywheel_arn, client("comprehend"))

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name, as deployed."""
        return known_flywheels(client("ssm"), self.configuration.settings_path)


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

"""An opened environment: its clients, its stack's outputs, its flywheels.

Local and AWS differ only in the session. Knows no verb. Read next:
`console.environment.environments` (which opens one) and `console.flywheels.operating`.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from adapters.comprehend import Comprehend
from adapters.executions import StateMachine
from adapters.objects import Objects
from adapters.parameters import known_flywheels
from adapters.service_errors import translate_aws_errors
from adapters.table import Table
from application.batches.workflow import Workflow
from application.configuration import KnownFlywheel
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from console.environment.running_environment import PROJECT_ROOT
from console.errors import SIGN_IN, CommandError, ExitCode
from flywheel.errors import ServiceRefusedError

LOCAL = "local"
ENVIRONMENTS_FOLDER = PROJECT_ROOT / "environments"

_CONFIG = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 6}
)
_LAMBDA_CONFIG = Config(
    connect_timeout=5,
    # A function may take 15 minutes, in which nothing is sent. A request without an answer may
    # have been carried out: the person decides whether to repeat it.
    read_timeout=15 * 60 + 30,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 1},
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts, in which account and region."""

    account: str
    region: str
    arn: str


class Target:
    """One environment, as boto3 reaches it.

    Parameters
    ----------
    environment : str
    session : boto3.Session
    variables : mapping
        Endpoints of the services, named as AWS SDKs name them in the process's environment; empty
        for AWS itself.
    """

    def __init__(
        self, environment: str, session: boto3.Session, variables: Mapping[str, str] | None = None
    ) -> None:
        self.environment = environment
        self._session = session
        self.variables = variables or {}
        self._clients: dict[str, Any] = {}

    @property
    def is_local(self) -> bool:
        """Whether it is the environment of this machine."""
        return bool(self.variables)

    def client(self, service: str) -> Any:
        """Return the client of a service, made at first use."""
        if service not in self._clients:
            name = f"AWS_ENDPOINT_URL_{service.upper()}"
            endpoint = self.variables.get(name) or self.variables.get("AWS_ENDPOINT_URL")
            with translate_aws_errors(f"the {service} client of environment {self.environment}"):
                self._clients[service] = self._session.client(  # type: ignore[call-overload] # the service is a variable here
                    service,
                    endpoint_url=endpoint,
                    config=_LAMBDA_CONFIG if service == "lambda" else _CONFIG,
                )
        return self._clients[service]

    def close(self) -> None:
        """Close the connections of all clients."""
        while self._clients:
            self._clients.popitem()[1].close()

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs.

        Raises
        ------
        CommandError
            The stack was never deployed here.
        """
        stack = f"flywheel-loop-{self.environment}"
        try:
            with translate_aws_errors("cloudformation:DescribeStacks"):
                answer = self.client("cloudformation").describe_stacks(StackName=stack)
        except ServiceRefusedError as error:
            if error.code != "ValidationError":
                raise
            region = self._session.region_name
            raise CommandError(
                ExitCode.CLOUD,
                stack,
                f"there is no such stack in {region}",
                f"Choose another region or AWS_PROFILE. {where_deployed(self.environment)}",
            ) from error
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in answer["Stacks"][0].get("Outputs", [])
        }

    @cached_property
    def identity(self) -> Identity:
        """Who acts, and in which account and region."""
        with translate_aws_errors("sts:GetCallerIdentity"):
            answer = self.client("sts").get_caller_identity()
        return Identity(answer["Account"], str(self._session.region_name), answer["Arn"])

    @cached_property
    def flywheels(self) -> dict[str, KnownFlywheel]:
        """The environment's flywheels by name, as deployed."""
        return known_flywheels(self.client("ssm"), self.outputs["SettingsPath"])

    def flywheel(self, name: str | None) -> KnownFlywheel:
        """Return a flywheel by name, or the only one.

        Raises
        ------
        CommandError
            There is none of that name, or several and no name.
        """
        known = ", ".join(sorted(self.flywheels)) or "none"
        where = f"environment {self.environment}"
        if name is None and len(self.flywheels) == 1:
            return next(iter(self.flywheels.values()))
        if name is None:
            problem = f"it has {len(self.flywheels)} flywheels"
            raise CommandError(ExitCode.USAGE, where, problem, f"Name one of them: {known}")
        if name not in self.flywheels:
            near = difflib.get_close_matches(name, list(self.flywheels), n=1)
            guess = f"Did you mean {near[0]}? " if near else ""
            problem = f"there is no flywheel {name!r}"
            raise CommandError(ExitCode.USAGE, where, problem, f"{guess}It has: {known}")
        return self.flywheels[name]

    def ledger(self) -> Ledger:
        """Return the ledger, to read: functions alone may write it."""
        table = Table(self.outputs["LedgerTable"], self.client("dynamodb"))
        return Ledger(table, actor="flywheel command")

    def flywheel_row(self, known: KnownFlywheel) -> FlywheelRow:
        """Return a flywheel as the ledger has it, or a new one that it does not have yet."""
        name = known.settings.name
        return self.ledger().flywheels.get(name) or FlywheelRow(name, known.arn)

    def workflow(self, ledger: Ledger) -> Workflow:
        """Return the state machine."""
        machine = self.outputs["StateMachineArn"]
        return Workflow(StateMachine(machine, self.client("stepfunctions")), ledger)

    def staging(self) -> Objects:
        """Return the staging bucket."""
        return Objects(self.outputs["StagingBucket"], self.client("s3"))

    def verdicts(self) -> Objects:
        """Return the bucket of verdicts."""
        return Objects(self.outputs["VerdictsBucket"], self.client("s3"))

    def comprehend(self, known: KnownFlywheel) -> Comprehend:
        """Return the service's calls on one flywheel, in its present generation."""
        arn = self.flywheel_row(known).arn
        return Comprehend(arn, self.client("comprehend"), self.client("s3"))

    def credentials(self) -> Any:
        """Return the credentials that sign a request.

        Raises
        ------
        CommandError
            There are none.
        """
        with translate_aws_errors("the AWS configuration"):
            credentials = self._session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials else None
        if frozen is None:
            raise CommandError(ExitCode.CLOUD, "AWS", "there are no AWS credentials", SIGN_IN)
        return frozen

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)


def local_target(variables: Mapping[str, str]) -> Target:
    """Return the local environment that these variables lead to."""
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    return Target(LOCAL, session, variables)


def where_deployed(environment: str) -> str:
    """Return how an environment is deployed to AWS, and how it is reached when it runs here."""
    return (
        f"Not deployed yet? cdk deploy -c env={environment} deploys it to AWS; flywheel up --env "
        f"{environment} runs it on this machine, where commands reach it as --env {LOCAL}"
    )

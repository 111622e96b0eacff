"""Which environment a command works on: its session, its stack's outputs, its flywheels.

Local and AWS differ in where the session comes from and in nothing else. Knows no verb.
Read next: `console.environment.running_environment` (how the local environment is found).
"""

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from adapters.caller_identity import prove, sts_endpoint
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
from console.environment.running_environment import PROJECT_ROOT, LocalFile, local_file
from console.errors import SIGN_IN, CommandError
from console.exit_codes import ExitCode
from flywheel.actors import PROOF
from flywheel.errors import ServiceRefusedError
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment

LOCAL = "local"
ENVIRONMENTS_FOLDER = PROJECT_ROOT / "environments"

_CONFIG = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 6}
)
_LAMBDA_CONFIG = Config(
    connect_timeout=5,
    # A function may take 15 minutes, in which nothing is sent. What was asked for and gave no
    # answer may have been done: whether to ask again is for the person to say.
    read_timeout=15 * 60 + 30,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 1},
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts, and where."""

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
        self._variables = variables or {}
        self._clients: dict[str, Any] = {}

    @property
    def is_local(self) -> bool:
        """Whether it is the environment of this machine."""
        return bool(self._variables)

    def client(self, service: str) -> Any:
        """Return the client of a service, made at first use."""
        if service not in self._clients:
            name = f"AWS_ENDPOINT_URL_{service.upper()}"
            endpoint = self._variables.get(name) or self._variables.get("AWS_ENDPOINT_URL")
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
                f"Choose another region or AWS_PROFILE. {_elsewhere(self.environment)}",
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
        """Return a flywheel as the ledger has it; one that no function has met yet is new."""
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

    def carry_rebuild_on(self, known: KnownFlywheel) -> str | None:
        """Have the stack's function carry a rebuild on; returns the step that it is in.

        Raises
        ------
        CommandError
            The function failed, and the schedule tries again; or the service does not make the
            new flywheel. Its message says why.
        """
        told = self.invoked(
            "RebuildFunction",
            {"flywheel": known.settings.name},
            what=f"rebuild of {known.settings.name}",
            remedy="The schedule tries again within 15 minutes; see flywheel status",
        )
        if "failed" in told:
            raise CommandError(
                ExitCode.CLOUD,
                f"rebuild of {known.settings.name}",
                str(told["failed"]),
                "Nothing was changed. Repair the cause, then ask for it again",
            )
        step: str | None = told["step"]
        return step

    def signed(self, output: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return a payload for a function, with who sends it and the proof of that.

        Parameters
        ----------
        output : str
            The stack's output that names the function.
        """
        identity = self.identity
        sent = {**payload, "actor": identity.arn}
        with translate_aws_errors("the AWS configuration"):
            credentials = self._session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials else None
        if frozen is None:
            raise CommandError(ExitCode.CLOUD, "AWS", "there are no AWS credentials", SIGN_IN)
        endpoint = sts_endpoint(identity.region, self._variables)
        proof = prove(
            sent,
            self.outputs[output],
            credentials=frozen,
            region=identity.region,
            endpoint=endpoint,
        )
        return {**sent, PROOF: proof}

    def invoked(
        self, output: str, payload: Mapping[str, Any], *, what: str, remedy: str
    ) -> dict[str, Any]:
        """Have a function of the stack run, and return its answer.

        Parameters
        ----------
        output : str
            The stack's output that names it.
        what, remedy : str
            Where it fails: what did, and what to do.

        Raises
        ------
        CommandError
            The function failed.
        """
        with translate_aws_errors("lambda:InvokeFunction"):
            answer = self.client("lambda").invoke(
                FunctionName=self.outputs[output], Payload=json.dumps(payload).encode()
            )
        told: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            problem = str(told.get("errorMessage", told))
            raise CommandError(ExitCode.CLOUD, what, problem, remedy)
        return told

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)


def known_environments(folder: Path = ENVIRONMENTS_FOLDER) -> list[str]:
    """Return the names of the environments that have a file."""
    return sorted(path.stem for path in folder.glob("*.toml") if path.stem != "base")


def open_target(environment: str, file: LocalFile | None = None) -> Target:
    """Return an environment by name, ready to be used.

    Raises
    ------
    CommandError
        There is no such environment, or it is the local one and none runs.
    SettingsError
        The environment's file is wrong.
    """
    _require_known(environment, ENVIRONMENTS_FOLDER)
    if environment == LOCAL:
        return _running(file or local_file())
    settings = environment_settings(environment)
    with translate_aws_errors("the AWS configuration"):
        region = settings.region or os.environ.get("AWS_REGION")
        session = boto3.Session(region_name=region)
        _require_account(environment, session)
        target = Target(environment, session)
    _check_account(target, settings)
    return target


def local_target(variables: Mapping[str, str]) -> Target:
    """Return the local environment that these variables lead to."""
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    return Target(LOCAL, session, variables)


def _running(file: LocalFile) -> Target:
    running = file.read()
    if running is None:
        raise CommandError(
            ExitCode.CLOUD,
            f"environment {LOCAL}",
            "none is running",
            "Start it with: flywheel up (in another terminal)",
        )
    return local_target(running.variables)


def environment_settings(environment: str, folder: Path = ENVIRONMENTS_FOLDER) -> Environment:
    """Return what an environment's file says.

    Raises
    ------
    CommandError
        There is no such file.
    SettingsError
        The file is wrong.
    """
    _require_known(environment, folder)
    return parse_environment(f"{environment}.toml", lambda file: (folder / file).read_text("utf-8"))


def _require_known(environment: str, folder: Path) -> None:
    known = known_environments(folder)
    if environment not in known:
        raise CommandError(
            ExitCode.USAGE,
            f"--env {environment}",
            "there is no such environment",
            f"Use one of: {', '.join(known)}",
        )


def _require_account(environment: str, session: boto3.Session) -> None:
    """Refuse to look for a deployment where nothing says in which account or region it is."""
    if session.region_name is None:
        lacks, remedy = "no AWS region is set", "Set AWS_REGION, or region in its file"
    elif session.get_credentials() is None:
        lacks, remedy = "there are no AWS credentials", SIGN_IN
    else:
        return
    raise CommandError(
        ExitCode.CLOUD,
        f"environment {environment}",
        f"{lacks}, so its stack cannot be found",
        f"{remedy}. {_elsewhere(environment)}",
    )


def _elsewhere(environment: str) -> str:
    """Say how an environment comes to be on AWS, and where it is when it runs here."""
    return (
        f"Not deployed yet? cdk deploy -c env={environment} puts it on AWS; flywheel up --env "
        f"{environment} runs it on this machine, where commands reach it as --env {LOCAL}"
    )


def _check_account(target: Target, settings: Environment) -> None:
    if settings.account is not None and target.identity.account != settings.account:
        raise CommandError(
            ExitCode.CLOUD,
            f"environment {target.environment}",
            f"it belongs to account {settings.account}, but the credentials belong to "
            f"{target.identity.account}",
            "Use credentials of that account (AWS_PROFILE)",
        )

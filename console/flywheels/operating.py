"""What people have the stack's functions do, each request with proof of who sends it.

Decides how a refusal ends a command, and the key of an upload. Knows no command; those are
`application.commands.payloads`. Read next: `console.environment.target` (the clients).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any

from adapters.caller_identity import prove, sts_endpoint
from adapters.service_errors import translate_aws_errors
from application.commands.payloads import OperatorCommand
from application.configuration import KnownFlywheel
from application.ledger.flywheel_rows import FlywheelRow
from console.environment.target import Target
from console.errors import CommandError, ExitCode
from flywheel.actors import PROOF
from flywheel.batches.uploads import DatasetKind, ObjectVersion
from flywheel.errors import (
    ActRefusedError,
    BatchNotFoundError,
    ConcurrentChangeError,
    InvalidCommandError,
    UnprovenIdentityError,
)


@dataclass(frozen=True, slots=True)
class FlywheelClient:
    """One flywheel of an environment, as a person reads and operates it.

    Parameters
    ----------
    target : Target
    known : KnownFlywheel
    """

    target: Target
    known: KnownFlywheel

    @property
    def name(self) -> str:
        """The flywheel's name."""
        return self.known.settings.name

    @property
    def row(self) -> FlywheelRow:
        """The flywheel as the ledger has it now."""
        return self.target.flywheel_row(self.known)

    def operate(self, command: OperatorCommand) -> dict[str, Any]:
        """Have a command carried out, and return its answer.

        Raises
        ------
        CommandError
            It was refused, or the function failed.
        """
        return self.ask("OperateFunction", asdict(command))

    def ask(self, output: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Have a function act for whoever runs this command, and return its answer.

        Parameters
        ----------
        output : str
            The stack's output that names the function.

        Raises
        ------
        CommandError
            It was refused, or the function failed.
        """
        sent = signed(self.target, output, {"flywheel": self.name, **payload})
        remedy = f"See flywheel status {self.name}, then try again"
        answer = _invoked(self.target, output, sent, where=self.name, remedy=remedy)
        if "refused" in answer:
            error_class = answer.get("error", ActRefusedError.__name__)
            raise refusal(self.name, error_class, str(answer["refused"]))
        return answer

    def continue_rebuild(self) -> str | None:
        """Have the stack's function continue a rebuild, and return the step that it is in.

        Raises
        ------
        CommandError
            The function failed, and the schedule tries again; or the service does not make the
            new flywheel. Its message says why.
        """
        where = f"rebuild of {self.name}"
        remedy = "The schedule tries again within 15 minutes; see flywheel status"
        payload = {"flywheel": self.name}
        answer = _invoked(self.target, "RebuildFunction", payload, where=where, remedy=remedy)
        if "failed" in answer:
            remedy = "Nothing was changed. Repair the cause, then ask for it again"
            raise CommandError(ExitCode.CLOUD, where, str(answer["failed"]), remedy)
        step: str | None = answer["step"]
        return step


def signed(target: Target, output: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload for a function, with who sends it and the proof of that.

    Parameters
    ----------
    output : str
        The stack's output that names the function.
    """
    identity = target.identity
    sent = {**payload, "actor": identity.arn}
    proof = prove(
        sent,
        target.outputs[output],
        credentials=target.credentials(),
        region=identity.region,
        endpoint=sts_endpoint(identity.region, target.variables),
    )
    return {**sent, PROOF: proof}


def refusal(flywheel: str, error_class: str, message: str) -> CommandError:
    """Return how a command ends that was refused by an error of this class."""
    if error_class == ConcurrentChangeError.__name__:
        return CommandError(ExitCode.HELD, flywheel, "it changed meanwhile", "Try again")
    if error_class == BatchNotFoundError.__name__:
        return CommandError(ExitCode.USAGE, "ledger", message, "See flywheel history")
    if error_class == InvalidCommandError.__name__:
        remedy = "Use the release of this command that the stack was deployed from"
        return CommandError(ExitCode.USAGE, flywheel, message, remedy)
    if error_class == UnprovenIdentityError.__name__:
        return CommandError(ExitCode.CLOUD, "identity", message, "Sign in again and repeat it")
    assert error_class == ActRefusedError.__name__, error_class
    return CommandError(ExitCode.HELD, flywheel, message, f"See flywheel status {flywheel}")


def _invoked(
    target: Target, output: str, payload: Mapping[str, Any], *, where: str, remedy: str
) -> dict[str, Any]:
    """Have a function run, and return its answer; where it fails, say so with this remedy."""
    with translate_aws_errors("lambda:InvokeFunction"):
        response = target.client("lambda").invoke(
            FunctionName=target.outputs[output], Payload=json.dumps(payload).encode()
        )
    answer: dict[str, Any] = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        problem = str(answer.get("errorMessage", answer))
        raise CommandError(ExitCode.CLOUD, where, problem, remedy)
    return answer


@dataclass(frozen=True, slots=True)
class Upload:
    """One object version that was put into the inbox."""

    key: str
    version_id: str
    uid: str
    kind: DatasetKind


def put(
    target: Target, flywheel: str, kind: DatasetKind, name: str, body: bytes | IO[bytes]
) -> Upload:
    """Put a file into a flywheel's folder of the inbox.

    Parameters
    ----------
    name : str
        The file's name, without folders.
    body : bytes or binary file
    """
    bucket, key = target.outputs["InboxBucket"], f"{flywheel}/{kind.value}/{name}"
    with translate_aws_errors("s3:PutObject"):
        answer = target.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    version = ObjectVersion(bucket, key, answer["VersionId"])
    return Upload(key, version.version_id, version.uid, kind)

"""What an operator can do with the rights that the docs give, under enforced permissions."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from console.commands import options as verb_options
from console.environment.running_environment import LocalFile
from console.environment.target import LOCAL, Target, local_target
from console.flywheels.operating import signed
from tests.console.command_line import Run, kept_running
from tests.stack_template import function_timeouts

pytestmark = pytest.mark.slow

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
ACCOUNT, REGION = "123456789012", "us-east-1"
ALICE = f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice (verified)"
ENV = ("--env", "local")
WHY = ("--reason", "labels are being checked")


def documented_policy(outputs: dict[str, str]) -> str:
    """Return the policy of the docs for a stack."""
    block = re.search(r"```json operator-policy\n(.*?)```", OPERATIONS.read_text("utf-8"), re.S)
    assert block is not None
    text = re.sub(r"\{(\w+)\}", lambda name: outputs[name[1]], block[1])
    return text.replace("ACCOUNT", ACCOUNT).replace("REGION", REGION).replace("ENV", LOCAL)


@pytest.fixture(scope="module")
def own_variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Run an environment whose record holds no other test's acts; give what leads to it."""
    folder = tmp_path_factory.mktemp("operators") / ".local"
    with kept_running(folder):
        running = LocalFile(folder).read()
        assert running is not None
        yield running.variables


@pytest.fixture(scope="module")
def administrator(own_variables: Mapping[str, str]) -> Iterator[Target]:
    """Give it as whoever started it reaches it."""
    opened = local_target(own_variables)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def alice(administrator: Target, own_variables: Mapping[str, str]) -> Iterator[Target]:
    """Give it as an operator reaches it who has the documented rights alone."""
    iam, name = administrator.client("iam"), "Operator"
    trust = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]
    iam.put_role_policy(
        RoleName=name, PolicyName=name, PolicyDocument=documented_policy(administrator.outputs)
    )
    assumed = administrator.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="alice")
    keys = assumed["Credentials"]
    session = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=REGION,
    )
    opened = Target(LOCAL, session, own_variables)
    yield opened
    opened.close()


@pytest.fixture
def run_as_alice(run: Run, alice: Target, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command as this operator."""
    monkeypatch.setattr(alice, "close", lambda: None)
    monkeypatch.setattr(verb_options, "open_target", lambda *_: alice)
    return run


def answered(run: Run, *arguments: str, exit_code: int = 0) -> Any:
    """Run a verb and return what it answers."""
    result = run(*arguments, *ENV, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def test_an_operator_pauses_and_resumes_when_functions_may_be_invoked(run_as_alice: Run) -> None:
    """The record names the verified identity, in the log and to whoever comes second."""
    assert answered(run_as_alice, "pause", "tickets", *WHY)["flywheel"] == "tickets"
    second = run_as_alice("pause", "tickets", *WHY, *ENV)
    assert second.exit_code == 3
    assert "it is paused already, by" in second.output
    assert f"{ALICE.rpartition('/')[2]}" in second.output
    status = answered(run_as_alice, "status", "tickets")
    assert status["flywheels"][0]["paused"]["by"] == ALICE
    assert answered(run_as_alice, "resume", "tickets", *WHY)["batch"] is None
    events = answered(run_as_alice, "log", "tickets", "-n", "2")
    assert [(event["event"], event["who"]) for event in events] == [
        ("resumed", ALICE),
        ("paused", ALICE),
    ]


def test_an_operator_imports_when_rows_can_be_handed_over(
    run_as_alice: Run, tmp_path: Path
) -> None:
    """The rows go through the staging bucket's one prefix that an operator may write."""
    file = tmp_path / "old.csv"
    file.write_text("BILLING,an invoice of long ago\nSHIPPING,a parcel of long ago\n", "utf-8")
    done = answered(run_as_alice, "import", str(file), "tickets", "--kind", "train")
    assert re.fullmatch("[0-9a-f]{64}", done["uid"])
    again = run_as_alice("import", str(file), "tickets", "--kind", "train", *ENV)
    assert again.exit_code == 3
    assert "imported before" in again.output


@pytest.mark.parametrize(
    "verb",
    [
        ("start", "tickets"),
        ("stop", "tickets", *WHY),
        ("retry", "tickets"),
        ("withdraw", "tickets", "--batch", "99", *WHY),
        ("rebuild", "tickets", "--abandon", *WHY),
        ("testset", "freeze", "tickets"),
        ("testset", "split", "tickets"),
        ("rollback", "tickets", *WHY),
        ("approve", "99", "tickets", *WHY),
        ("status", "tickets"),
        ("history", "tickets"),
        ("uploads", "tickets"),
        ("audit", "verify"),
    ],
)
def test_no_right_is_missing_when_an_operator_runs_a_verb(
    run_as_alice: Run, verb: tuple[str, ...]
) -> None:
    """Each is carried out, or refused for what is there: none for a permission (exit code 5)."""
    result = run_as_alice(*verb, *(ENV if "--env" not in verb else ()))
    assert result.exit_code in {0, 2, 3}, result.output
    assert "AccessDenied" not in result.output
    assert "not authorized" not in result.output


def invoked(alice: Target, payload: Any) -> Any:
    """Invoke Operate without the command, and return what it answers."""
    answer = alice.client("lambda").invoke(
        FunctionName=alice.outputs["OperateFunction"], Payload=json.dumps(payload)
    )
    return json.loads(answer["Payload"].read())


def test_the_name_is_claimed_when_a_script_invokes_the_function(
    run_as_alice: Run, alice: Target
) -> None:
    """Without proof the act is done, and status and log say that nobody verified the name."""
    pause = {"act": "pause", "flywheel": "tickets", "reason": "backfill", "actor": "nightly-job"}
    assert invoked(alice, pause) == {}
    status = answered(run_as_alice, "status", "tickets")
    assert status["flywheels"][0]["paused"]["by"] == "nightly-job (claimed)"
    assert "nightly-job (claimed)" in run_as_alice("log", "tickets", *ENV).output
    assert answered(run_as_alice, "resume", "tickets", *WHY)["batch"] is None


def test_nothing_is_done_when_a_proof_was_made_for_another_command(alice: Target) -> None:
    """Whoever reads a payload cannot do anything else in its sender's name."""
    start = signed(alice, "OperateFunction", {"act": "start", "flywheel": "tickets"})
    pause = {**start, "act": "pause", "reason": "sabotage"}
    refused = invoked(alice, pause)
    assert refused["error"] == "UnprovenIdentityError"
    assert "SignatureDoesNotMatch" in refused["refused"]
    assert invoked(alice, start)["batch"] is None


def test_the_identity_is_verified_when_the_champion_is_asked_for(run_as_alice: Run) -> None:
    """ChangeChampion and AnswerApproval name people by the same proof."""
    assert run_as_alice("rollback", "tickets", *WHY, *ENV).exit_code == 3
    assert run_as_alice("reject", "99", "tickets", *WHY, *ENV).exit_code == 3
    events = answered(run_as_alice, "log", "tickets", "-n", "2")
    assert [(event["event"], event["who"]) for event in events] == [
        ("answer refused", ALICE),
        ("act refused", ALICE),
    ]


def test_the_command_waits_as_long_as_a_function_may_take(alice: Target) -> None:
    """And asks once: what gave no answer may have been done."""
    config = alice.client("lambda").meta.config
    assert config.read_timeout > max(function_timeouts().values())
    assert config.retries["total_max_attempts"] == 1


def test_an_operator_writes_no_row_when_the_ledger_is_called(alice: Target) -> None:
    """Nor any object that a function reads as its own."""
    table, staging = alice.outputs["LedgerTable"], alice.outputs["StagingBucket"]
    key = {"pk": {"S": "FLYWHEEL#tickets"}, "sk": {"S": "FLYWHEEL"}}
    dynamodb, s3 = alice.client("dynamodb"), alice.client("s3")
    forgeries: tuple[Callable[[], object], ...] = (
        lambda: dynamodb.put_item(TableName=table, Item=key),
        lambda: dynamodb.delete_item(TableName=table, Key=key),
        lambda: dynamodb.update_item(TableName=table, Key=key),
        lambda: dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": key}}]
        ),
        lambda: s3.put_object(Bucket=staging, Key="known/tickets/x", Body=b""),
        lambda: s3.put_object(Bucket=alice.outputs["VerdictsBucket"], Key="chain/x", Body=b""),
    )
    for forge in forgeries:
        with pytest.raises(ClientError, match="AccessDenied"):
            forge()

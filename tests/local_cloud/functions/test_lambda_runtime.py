"""How functions run: from the asset alone, in their own processes, as their role."""

import json
import threading
from pathlib import Path

import pytest

from tests.local_cloud.conftest import Deployed
from tests.local_cloud.waiting import eventually

CHECKOUT = Path(__file__).parents[3]


def test_the_asset_wins_when_an_installed_package_has_the_same_name(deployed: Deployed) -> None:
    """A function imports what its zip holds, never the checkout."""
    answer, is_error = deployed.probe()

    assert not is_error
    assert answer["flywheel"].startswith(answer["variables"]["LAMBDA_TASK_ROOT"])
    assert answer["path"][0] == answer["variables"]["LAMBDA_TASK_ROOT"]
    assert str(CHECKOUT) not in answer["path"]
    assert str(CHECKOUT / "functions") not in answer["path"]


@pytest.mark.parametrize("package", ["adapters", "infra", "console", "local"])
def test_the_checkout_cannot_be_imported_when_the_asset_lacks_a_package(
    deployed: Deployed, package: str
) -> None:
    """A package that was forgotten in the asset is missing here as it would be on AWS."""
    answer, is_error = deployed.probe(**{"import": package})

    assert is_error
    assert answer["errorType"] == "ModuleNotFoundError"


def test_the_environment_looks_like_lambda_when_a_function_starts(deployed: Deployed) -> None:
    """Names, region, endpoints, time zone and the role's own credentials are set."""
    variables = deployed.probe()[0]["variables"]

    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == deployed.outputs["Probe"]
    assert variables["_HANDLER"] == "handlers.probe"
    assert variables["GREETING"] == "hello"
    assert variables["AWS_ENDPOINT_URL"] == deployed.cloud.url
    assert variables["AWS_ENDPOINT_URL_COMPREHEND"] == deployed.endpoint.url
    assert variables["AWS_REGION"] == "us-east-1"
    assert variables["TZ"] == ":UTC"
    assert variables["POWERTOOLS_TRACE_DISABLED"] == "true"
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "PYTHONPATH" not in variables


def test_the_error_is_the_handlers_own_when_it_raises(deployed: Deployed) -> None:
    """Class name, message and stack trace arrive as on AWS."""
    answer, is_error = deployed.probe(fail=True)

    assert is_error
    assert answer["errorType"] == "RefusedByHandler"
    assert answer["errorMessage"] == "asked to fail"
    assert "handlers.py" in answer["stackTrace"][0]


@pytest.mark.slow
def test_the_process_is_replaced_when_an_invocation_times_out(deployed: Deployed) -> None:
    """A slow invocation fails with Lambda's error, and the next one runs in a new process."""
    before = deployed.probe()[0]["pid"]

    answer, is_error = deployed.probe(sleep_seconds=30)

    assert is_error
    assert answer["errorType"] == "Sandbox.Timedout"
    assert "timed out after 1.00 seconds" in answer["errorMessage"]
    assert deployed.probe()[0]["pid"] != before


def test_the_invocation_fails_when_the_process_ends(deployed: Deployed) -> None:
    """A process that exits fails its invocation and is replaced."""
    answer, is_error = deployed.probe(exit=3)

    assert is_error
    assert answer["errorType"] == "Runtime.ExitError"
    assert not deployed.probe()[1]


def test_the_invocation_says_why_when_the_handler_cannot_be_loaded(deployed: Deployed) -> None:
    """The process reports the failed start, and the first invocation ends with it."""
    name, functions = deployed.outputs["Probe"], deployed.cloud.client("lambda")
    functions.update_function_configuration(FunctionName=name, Handler="nowhere.probe")

    answer, is_error = deployed.probe()

    assert is_error
    assert answer["errorType"] == "Runtime.ImportModuleError"
    functions.update_function_configuration(FunctionName=name, Handler="handlers.probe")


def test_two_processes_serve_when_two_callers_invoke_at_once(deployed: Deployed) -> None:
    """Concurrent invocations run side by side, each in its own environment."""
    pids: list[int] = []

    def call() -> None:
        pids.append(deployed.probe(sleep_seconds=0.3)[0]["pid"])

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(set(pids)) == 2


def test_the_same_process_serves_when_it_is_warm(deployed: Deployed) -> None:
    """One caller after the other meets the same environment."""
    assert deployed.probe()[0]["pid"] == deployed.probe()[0]["pid"]


def test_the_new_configuration_holds_when_a_function_is_updated(deployed: Deployed) -> None:
    """A changed variable reaches the next invocation, in a new process."""
    name, before = deployed.outputs["Probe"], deployed.probe()[0]
    variables = {"TABLE": before["variables"]["TABLE"], "GREETING": "good evening"}

    deployed.cloud.client("lambda").update_function_configuration(
        FunctionName=name, Environment={"Variables": variables}
    )

    after = deployed.probe()[0]
    assert after["variables"]["GREETING"] == "good evening"
    assert after["pid"] != before["pid"]
    restored = {**variables, "GREETING": "hello"}
    deployed.cloud.client("lambda").update_function_configuration(
        FunctionName=name, Environment={"Variables": restored}
    )


def test_lines_reach_the_log_group_when_a_function_prints(deployed: Deployed) -> None:
    """What a function prints is in the log group that the template names, framed by Lambda."""
    request_id = deployed.probe(print="a line to look for")[0]["request_id"]

    logs = deployed.cloud.client("logs")
    events = logs.filter_log_events(logGroupName=deployed.outputs["ProbeLogs"])["events"]
    messages = [event["message"] for event in events]
    place = messages.index(f"START RequestId: {request_id} Version: $LATEST")
    assert messages[place + 1] == "a line to look for"
    assert messages[place + 2] == f"END RequestId: {request_id}"


@pytest.mark.slow
def test_the_answer_is_immediate_when_the_invocation_is_asynchronous(deployed: Deployed) -> None:
    """An Event invocation answers 202 and is retried twice after a failure."""

    def failures() -> int:
        events = deployed.cloud.client("logs").filter_log_events(
            logGroupName=deployed.outputs["ProbeLogs"]
        )["events"]
        wanted = "[ERROR] RefusedByHandler: asked to fail"
        return sum(event["message"].startswith(wanted) for event in events)

    before = failures()
    answer = deployed.cloud.client("lambda").invoke(
        FunctionName=deployed.outputs["Probe"],
        InvocationType="Event",
        Payload=json.dumps({"print": "asynchronous", "fail": True}),
    )
    assert answer["StatusCode"] == 202
    assert eventually(lambda: failures() >= before + 3)

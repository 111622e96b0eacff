"""A cloud ends cleanly, whatever runs in it and however its process ends."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from local_cloud.cloud import Cloud, CloudSettings
from tests.local_cloud.one_state_machine import start_machine
from tests.local_cloud.probe_function import create_probe_function
from tests.local_cloud.waiting import eventually

CHECKOUT = Path(__file__).parents[2]
OWN_PROCESS = """
import json, sys, time
from pathlib import Path
from local_cloud.cloud import Cloud, CloudSettings
from tests.local_cloud.probe_function import create_probe_function

cloud = Cloud(CloudSettings(data_directory=Path(sys.argv[1]))).start()
create_probe_function(cloud)
answer = cloud.client("lambda").invoke(FunctionName="probe", Payload=b"{}")
print(json.load(answer["Payload"])["pid"], flush=True)
busy = json.dumps({"print": "busy", "sleep_seconds": 600})
cloud.client("lambda").invoke(FunctionName="probe", InvocationType="Event", Payload=busy)
time.sleep(60)
"""


def _is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_thread_or_process_is_left_when_work_is_in_flight(tmp_path: Path) -> None:
    """Running functions, waits and open task tokens end with the cloud."""
    before = set(threading.enumerate())
    with Cloud(CloudSettings(data_directory=tmp_path, wait_scale=1.0)) as cloud:
        create_probe_function(cloud)
        start_machine(cloud, "waits", {"Type": "Wait", "Seconds": 600})
        queue = cloud.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
        body = {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}}
        resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
        start_machine(cloud, "asks", {"Type": "Task", "Resource": resource, "Parameters": body})
        arguments = {"FunctionName": "probe", "Payload": {"sleep_seconds": 600}}
        invoke = "arn:aws:states:::lambda:invoke"
        start_machine(cloud, "calls", {"Type": "Task", "Resource": invoke, "Parameters": arguments})
        pid = json.load(
            cloud.client("lambda").invoke(FunctionName="probe", Payload=b"{}")["Payload"]
        )["pid"]
        assert cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]

    assert not _is_running(pid)
    assert not eventually_left(before)
    assert list(tmp_path.iterdir()) == []


def eventually_left(before: set[threading.Thread]) -> set[threading.Thread]:
    """Return the threads that are left; those that are just ending get a moment."""

    def left() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread not in before}

    eventually(lambda: not left(), seconds=5.0)
    return left()


def test_function_processes_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    """A cloud that is killed without warning leaves no process behind, not even a busy one."""
    with subprocess.Popen(
        [sys.executable, "-c", OWN_PROCESS, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        eventually(lambda: any("busy" in log.read_text() for log in tmp_path.rglob("log")))
        assert _is_running(pid)
        os.kill(parent.pid, signal.SIGKILL)

    assert eventually(lambda: not _is_running(pid))

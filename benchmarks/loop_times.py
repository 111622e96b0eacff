"""How long the loop takes on this machine, training excluded: `python -m benchmarks loop_times`.

The local environment is synthesized, started and used as people use it. Read next:
`local_cloud.environment`.
"""

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.tables import Result
from console.demo.sample_tickets import generate_tickets
from console.environment.local_environment import Mailbox
from console.environment.target import local_target
from flywheel.intake.labeled_rows import LabeledRow, csv_line
from local_cloud.environment import LocalEnvironment, LocalSettings, synthesize

_ROUNDS, _QUICK_ROUNDS = 5, 2
_TICKETS = 200


def measure(*, quick: bool = False) -> list[Result]:
    """Start the local environment and drop one file after the other."""
    count = _QUICK_ROUNDS if quick else _ROUNDS
    rows = [("synth", _timed_synth())]
    began = time.perf_counter()
    with LocalEnvironment(LocalSettings()) as environment:
        rows.append(("start and deploy, synth included", time.perf_counter() - began))
        rounds = [_put_to_notice(environment, number) for number in range(count)]
    rows.append(("PUT to notice, the first time", rounds[0]))
    rows.append((f"PUT to notice, median of {count}", statistics.median(rounds)))
    notes = (
        'In the local environment, with its short waits. "PUT to notice" is the time from the '
        f"upload of {_TICKETS} rows until a subscriber receives the notice of the verdict, without "
        "the iteration's own time in the engine.",
    )
    cells = [(what, f"{seconds:.2f}") for what, seconds in rows]
    return [Result("The loop without training", ("what", "seconds"), cells, notes)]


def _timed_synth() -> float:
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        synthesize("local", Path(folder) / "cdk.out", LocalSettings().environments_folder)
        return time.perf_counter() - began


def _put_to_notice(environment: LocalEnvironment, number: int) -> float:
    """Drop one file and return the seconds until its verdict is read, less the iteration's."""
    mailbox = Mailbox(local_target(environment.variables))
    tickets = generate_tickets(_TICKETS, seed=number)
    body = "".join(csv_line(LabeledRow(label, text)) for label, text in tickets)
    began = time.perf_counter()
    environment.client("s3").put_object(
        Bucket=environment.outputs["InboxBucket"],
        Key=f"tickets/train/{number}.csv",
        Body=body.encode(),
    )
    while not mailbox.has(lambda letter: "STARTED" not in letter.subject):
        mailbox.collect(wait_seconds=1)
    return time.perf_counter() - began - _last_iteration_seconds(environment)


def _last_iteration_seconds(environment: LocalEnvironment) -> float:
    comprehend = environment.client("comprehend")
    arn = comprehend.list_flywheels()["FlywheelSummaryList"][0]["FlywheelArn"]
    history = comprehend.list_flywheel_iteration_history(FlywheelArn=arn)
    last = max(
        history["FlywheelIterationPropertiesList"], key=lambda iteration: iteration["CreationTime"]
    )
    return float((last["EndTime"] - last["CreationTime"]).total_seconds())

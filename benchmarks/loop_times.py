"""How long the loop takes on this machine, training excluded: `python -m benchmarks.loop_times`.

From the PUT of a training file to the arrival of its verdict's notice, as a subscriber receives
it, less the iteration's own time in the engine; and what synth and start-up take.
"""

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from console.mailbox import Mailbox
from console.sample_tickets import generate_tickets
from console.target import local_target
from flywheel.labeled_documents import Row, csv_line
from local.environment import LocalEnvironment, LocalSettings, synthesize

_ROUNDS = 5
_TICKETS = 200


def main() -> None:
    """Measure and print one table."""
    out = Console()
    rows = [("synth", _timed_synth())]
    began = time.perf_counter()
    with LocalEnvironment(LocalSettings()) as world:
        rows.append(("start and deploy, synth included", time.perf_counter() - began))
        rounds = [_put_to_notice(world, number) for number in range(_ROUNDS)]
    rows.append((f"PUT to notice less iteration, first of {_ROUNDS}", rounds[0]))
    rows.append((f"PUT to notice less iteration, median of {_ROUNDS}", statistics.median(rounds)))
    table = Table("what", "seconds")
    for what, seconds in rows:
        table.add_row(what, f"{seconds:.2f}")
    out.print(table)


def _timed_synth() -> float:
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        synthesize("local", Path(folder) / "cdk.out", LocalSettings().environments_folder)
        return time.perf_counter() - began


def _put_to_notice(world: LocalEnvironment, number: int) -> float:
    """Drop one file and return the seconds until its verdict is read, less the iteration's."""
    mailbox = Mailbox(local_target(world.variables))
    tickets = generate_tickets(_TICKETS, seed=number)
    body = "".join(csv_line(Row(label, text)) for label, text in tickets)
    began = time.perf_counter()
    world.client("s3").put_object(
        Bucket=world.outputs["InboxBucket"], Key=f"tickets/train/{number}.csv", Body=body.encode()
    )
    while not mailbox.has(lambda letter: "STARTED" not in letter.subject):
        mailbox.collect(wait_seconds=1)
    return time.perf_counter() - began - _last_iteration_seconds(world)


def _last_iteration_seconds(world: LocalEnvironment) -> float:
    comprehend = world.client("comprehend")
    arn = comprehend.list_flywheels()["FlywheelSummaryList"][0]["FlywheelArn"]
    history = comprehend.list_flywheel_iteration_history(FlywheelArn=arn)
    last = max(
        history["FlywheelIterationPropertiesList"], key=lambda iteration: iteration["CreationTime"]
    )
    return float((last["EndTime"] - last["CreationTime"]).total_seconds())


if __name__ == "__main__":
    main()

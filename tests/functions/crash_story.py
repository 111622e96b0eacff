"""One flywheel's life with at most one death in it, and what is left of it at rest.

A story calls functions as SQS, the state machine, the schedule and people do: what died is called
again. `Rest` is read from the service, its data lake, the ledger and the topic, not from what the
functions answered. Read next: `crash_scenarios` (the stories), `test_crashes` (the sweep).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from adapters.clients import client
from application.commands.carry_out import carry_out
from application.commands.operator_commands import OperatorCommands
from application.commands.payloads import OperatorCommand
from application.rebuilds.rebuild import rebuild
from flywheel.errors import ActRefusedError
from tests.application.test_ledger import broken_link
from tests.functions.cloud import LAKE, NOTICE_WINDOW_SECONDS, Crash
from tests.functions.killer import Killer
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, Document, World

T = TypeVar("T")

_A_CLAIM_HOLDS = timedelta(minutes=6)
"""Longer than a dead sender's claim of a notice holds."""

_MOMENT = re.compile(r"\d{8}T\d+Z$")
_DIGEST = re.compile(r"^uploads-[0-9a-f]{16}$")


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left when all has been said and done.

    Parameters
    ----------
    sent, tested : mapping of flywheel ARN, as a number in order of creation, to sequence of str
        Rows in the data lake, of all datasets and of TEST datasets, in order.
    datasets : sequence of str
        Generation and name.
    slots : mapping of str to int
        As the ledger counts them for the present generation.
    iterations : sequence of int
        How many each generation ran.
    jobs : int
        How many were started in which models answer.
    live : str
        Which model is active, in words that are the same in every flywheel.
    uploads : mapping of str to int
        Key and state -> how many.
    batches : sequence of str
    is_idle : bool
    present : int
        The generation that batches go to, by its number in order of creation.
    told : set of str
        Ids of notices, without what is another in each run.
    audit : mapping of str to int
        Event -> how often.
    broken_at : int or None
        The first audit entry that does not follow from the one before.
    executions : sequence of str
    waiting : sequence of str
        What is in the outbox.
    """

    sent: Mapping[int, Sequence[str]]
    tested: Mapping[int, Sequence[str]]
    datasets: Sequence[str]
    slots: Mapping[str, int]
    iterations: Sequence[int]
    jobs: int
    live: str
    uploads: Mapping[str, int]
    batches: Sequence[str]
    is_idle: bool
    present: int
    told: frozenset[str]
    audit: Mapping[str, int]
    broken_at: int | None
    executions: Sequence[str]
    waiting: Sequence[str]


@dataclass(slots=True)
class Story:
    """Drives one world through a scenario.

    Parameters
    ----------
    world : World
    killer : Killer
    noticed : int
        How many deaths came out of what was called.
    earlier_jobs : int
        How many jobs of models there were at the beginning.
    """

    world: World
    killer: Killer
    noticed: int = 0
    earlier_jobs: int = field(init=False)
    arns: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Count the jobs that other stories started."""
        self.earlier_jobs = _jobs()

    def delivered(self, call: Callable[[], T]) -> T:
        """Call what is delivered at least once: again, where it died."""
        try:
            with self.killer.process():
                return call()
        except Crash:
            self.noticed += 1
            return call()

    def acted(self, call: Callable[[], object]) -> None:
        """Let a person act: again, where the act died; what it has done is refused then."""
        try:
            with self.killer.process():
                call()
        except Crash:
            self.noticed += 1
            with suppress(ActRefusedError):
                call()

    def operated(self, command: OperatorCommand) -> None:
        """Have a person's command carried out: again, where the function died."""
        self.acted(lambda: carry_out(self.world.services, command))

    def upload(self, name: str, given: Sequence[Document] | bytes, kind: str = "train") -> str:
        """Drop a file, have its event delivered, and return its uid."""
        body = given if isinstance(given, bytes) else _csv(given)
        upload = self.world.put(f"{NAME}/{kind}/{name}", body)
        self.delivered(lambda: self.world.register(upload))
        return upload.uid

    def acts(self) -> OperatorCommands:
        """Open the acts as a person."""
        services = self.world.services
        comprehend = services.comprehend(self.world.row.arn)
        return OperatorCommands(
            "test", services.flywheel(NAME), services.ledger, comprehend, services.workflow
        )

    def sealed(self, number: int, attempt: int = 1) -> None:
        """Let an execution go on from its beginning to where its datasets are complete."""
        execution = f"{NAME}-batch-{number}-{attempt}"
        if execution not in self.world.cloud.executions():
            self.reconciled()
        assert execution in self.world.cloud.executions()
        if not self.delivered(lambda: self.world.seal(number))["is_empty"]:
            self.world.await_datasets(number)

    def judged(self, number: int) -> None:
        """Let an execution go on from there to its end."""
        assert self.delivered(lambda: self.world.start(number))["is_started"]
        self.world.await_iteration(number)
        while self.delivered(lambda: self.world.compare(number))["outcome"] is None:
            self.world.await_answers(number)
        self.closed(number)

    def closed(self, number: int, **failure: str) -> None:
        """Let an execution close its batch."""
        self.delivered(lambda: self.world.close(number, **failure))

    def rebuilt(self) -> str | None:
        """Let a rebuild go on and return its step."""
        step: str | None = self.delivered(lambda: rebuild(self.world.services, NAME))["step"]
        self._follow()
        return step

    def reconciled(self) -> None:
        """Let the schedule run; what it invokes runs too."""
        self.delivered(lambda: reconciled(self.world.services))
        if self.world.row.rebuild is not None:
            self.rebuilt()

    def rest(self) -> Rest:
        """Let everything come to rest, and return what is left."""
        world = self.world
        world.settle()
        self._run_later()
        # Who died in the first run is gone in the second, which writes what any run does.
        with self.killer.asleep():
            self._run_later()
        self._follow()
        row, ledger = world.row, world.services.ledger
        entries = ledger.audit.entries(NAME)
        datasets = {arn: _datasets(arn) for arn in self.arns}
        return Rest(
            sent={number: _rows(datasets[arn]) for number, arn in enumerate(self.arns, 1)},
            tested={
                number: _rows([found for found in datasets[arn] if found["DatasetType"] == "TEST"])
                for number, arn in enumerate(self.arns, 1)
            },
            datasets=sorted(
                f"{number}/{found['DatasetName']}"
                for number, arn in enumerate(self.arns, 1)
                for found in datasets[arn]
            ),
            slots={"TRAIN": row.train_datasets, "TEST": row.test_datasets},
            iterations=[len(_trained(world, arn)) for arn in self.arns],
            jobs=_jobs() - self.earlier_jobs,
            live=self._live(),
            uploads=Counter(
                f"{upload.key} {upload.state}" for upload in ledger.uploads.newest(NAME)
            ),
            batches=[
                f"{batch.batch}-{batch.attempt} {batch.state} {batch.outcome}"
                for batch in ledger.batches.newest(row, row.last_batch)
            ],
            is_idle=row.is_idle,
            present=self.arns.index(row.arn) + 1,
            told=self._told(),
            audit=Counter(str(entry["event"]) for entry in entries),
            broken_at=broken_link(entries),
            executions=world.cloud.executions(),
            waiting=world.waiting(),
        )

    def _run_later(self) -> None:
        self.world.clock.advance(_A_CLAIM_HOLDS.total_seconds() + NOTICE_WINDOW_SECONDS)
        self.reconciled()

    def _follow(self) -> None:
        """Keep in mind which flywheels there were, and look at the present one."""
        row = self.world.row
        before = [row.rebuild.before_arn] if row.rebuild else []
        for arn in (self.world.flywheel_arn, *before, row.arn):
            if arn not in self.arns:
                self.arns.append(arn)
        self.world.flywheel_arn = row.arn

    def _live(self) -> str:
        active = self.world.active_model
        for number, arn in enumerate(self.arns, 1):
            if active in _trained(self.world, arn):
                return f"model {_trained(self.world, arn).index(active)} of generation {number}"
        return "none" if active is None else "as at the beginning"

    def _told(self) -> frozenset[str]:
        self.told |= {notice.notice_id for notice in self.world.cloud.told()}
        return frozenset(
            _DIGEST.sub("uploads", _MOMENT.sub("", notice_id)) for notice_id in self.told
        )


def _csv(given: Sequence[Document]) -> bytes:
    return "".join(f"{label},{text}\n" for label, text in given).encode()


def _datasets(arn: str) -> list[Mapping[str, Any]]:
    """Return the flywheel's datasets but for those that the service made of a model's data."""
    answer = client("comprehend").list_datasets(FlywheelArn=arn, MaxResults=500)
    return [
        found
        for found in answer["DatasetPropertiesList"]
        if found["Status"] == "COMPLETED" and not found["DatasetName"].startswith("Comprehend-")
    ]


def _rows(datasets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows that the service copied into its data lake, in order."""
    lines: list[str] = []
    for found in datasets:
        prefix = found["DatasetS3Uri"].removeprefix(f"s3://{LAKE}/")
        listed = client("s3").list_objects_v2(Bucket=LAKE, Prefix=prefix)["Contents"]
        for item in listed:
            body = client("s3").get_object(Bucket=LAKE, Key=item["Key"])["Body"].read()
            lines += body.decode().splitlines()
    return sorted(lines)


def _jobs() -> int:
    pages = client("comprehend").get_paginator("list_document_classification_jobs").paginate()
    return sum(len(page["DocumentClassificationJobPropertiesList"]) for page in pages)


def _trained(world: World, arn: str) -> list[str | None]:
    return [item.trained_model for item in world.services.comprehend(arn).iterations()]

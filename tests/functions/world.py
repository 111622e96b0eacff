"""Everything around the functions: the cloud, the engine, one flywheel, a clock that is driven."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, TypeVar

from adapters.clients import client
from adapters.wiring import AwsPorts
from application.batches.close import close
from application.batches.seal import seal
from application.batches.start import start
from application.commands.operator_commands import OperatorCommands
from application.comparison.compare import compare
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.upload_rows import UploadRow
from application.registration.register import register
from application.services import Services
from comprehend_engine.clock import DrivenClock
from engine_testing.rig import until
from flywheel.batches.uploads import ObjectVersion
from tests.functions.cloud import ACCOUNT, INBOX, LAKE, SETTINGS_PATH, STAGING, Cloud

LABELS = ("billing", "delivery")
NAME = "tickets"
RULES = {
    "quiet_seconds": 1,
    "min_documents": 4,
    "max_age_hours": 1,
    "min_hours_between_iterations": 0,
    "service_min_per_label": 2,
    "poll_seconds": 5,
}
ANSWERS_WANTED = {
    "evidence": "paired",
    "critical_labels": ["billing"],
    "comparison": "non-inferiority",
    "margin": 0.2,
}
"""A policy with a guard of which the averages say nothing."""

Document = tuple[str, str]
T = TypeVar("T")

_ROLE = f"arn:aws:iam::{ACCOUNT}:role/comprehend-data-access"
_WORDS = {
    "early": {
        "billing": "invoice charged refund card",
        "delivery": "parcel late courier address",
    },
    "late": {
        "billing": "payment money bank twice",
        "delivery": "box arrived street van",
    },
}
_numbers = count(1)


def documents(
    per_label: int, *, first: int = 0, words: Sequence[str] = ("early", "late")
) -> list[Document]:
    """Make documents that can be told apart by the words that a model has seen.

    Each has a name of its own, in letters: those that differ in digits alone count as one.
    """
    made = []
    for number in range(first, first + per_label):
        for label in LABELS:
            chosen = _WORDS[words[number % len(words)]][label].split()
            text = " ".join(chosen[(number * step) % len(chosen)] for step in (1, 2, 3))
            made.append((label, f"{text} {in_letters(number)}"))
    return made


def in_letters(number: int) -> str:
    """Return the name of a document."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def swapped(given: Sequence[Document]) -> list[Document]:
    """Return the documents with each other's labels."""
    other = dict(zip(LABELS, reversed(LABELS), strict=True))
    return [(other[label], text) for label, text in given]


def csv(given: Sequence[Document]) -> bytes:
    """Write documents as people upload them."""
    return "".join(f"{label},{text}\n" for label, text in given).encode()


@dataclass(slots=True)
class World:
    """One environment with one flywheel, and the functions that work in it.

    Parameters
    ----------
    cloud : Cloud
    clock : DrivenClock
        The functions' clock and the engine's.
    flywheel_arn : str
        Of the flywheel ``tickets``.
    """

    cloud: Cloud
    clock: DrivenClock
    flywheel_arn: str
    comprehend_calls: list[str] = field(default_factory=list)

    @property
    def services(self) -> Services:
        """What a function is given."""
        return Services(
            "test", self.cloud.configuration, self.now, AwsPorts(self.cloud.configuration)
        )

    @property
    def row(self) -> FlywheelRow:
        """The flywheel as the ledger has it."""
        row = self.services.ledger.flywheels.get(NAME)
        assert row is not None
        return row

    @property
    def active_model(self) -> str | None:
        """The model that is live."""
        return self.services.comprehend(self.flywheel_arn).describe().active_model

    def now(self) -> datetime:
        """Return the driven clock's moment."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def configure(self, *, policy: Mapping[str, Any] | None = None, **rules: Any) -> None:
        """Deploy the flywheel's settings; nobody is asked unless the policy says so."""
        settings = {
            "name": NAME,
            "batch": {**RULES, **rules},
            "policy": {"evidence": "none", "approve_first": 0, **(policy or {})},
        }
        client("ssm").put_parameter(
            Name=f"{SETTINGS_PATH}/{NAME}",
            Value=json.dumps({"arn": self.flywheel_arn, "settings": settings}),
            Type="String",
            Overwrite=True,
        )

    def acts(self) -> OperatorCommands:
        """Open the acts as a person."""
        services = self.services
        comprehend = services.comprehend(self.flywheel_arn)
        return OperatorCommands(
            "test", services.flywheel(NAME), services.ledger, comprehend, services.workflow
        )

    def put(self, key: str, body: bytes) -> ObjectVersion:
        """Drop an object into the inbox."""
        answer = client("s3").put_object(Bucket=INBOX, Key=key, Body=body)
        return ObjectVersion(INBOX, key, answer["VersionId"])

    def register(self, upload: ObjectVersion, size_bytes: int = 1) -> None:
        """Let the function register an upload."""
        register(self.services, upload, size_bytes)

    def upload(
        self, name: str, given: Sequence[Document] | bytes, kind: str = "train"
    ) -> ObjectVersion:
        """Drop a file for the flywheel and register it."""
        body = given if isinstance(given, bytes) else csv(given)
        upload = self.put(f"{NAME}/{kind}/{name}", body)
        self.register(upload)
        return upload

    def known(self, upload: ObjectVersion) -> UploadRow:
        """Return an upload as the ledger has it."""
        row = self.services.ledger.uploads.get(upload.uid)
        assert row is not None
        return row

    def staged(self) -> list[str]:
        """Return the inbox keys of what waits for a batch."""
        return [upload.key for upload in self.services.ledger.uploads.staged(NAME)]

    def waiting(self) -> list[str]:
        """Return the headlines of upload news and the subjects of notices in the outbox."""
        outbox = self.services.ledger.outbox
        told = [pending.notice.subject for pending in outbox.notices()]
        return [pending.news.headline for pending in outbox.news()] + told

    def batch(self, number: int = 1) -> BatchRow:
        """Return a batch as the ledger has it."""
        return self.services.ledger.batches.get(NAME, number)

    def seal(self, number: int = 1) -> dict[str, Any]:
        """Let the function seal a batch."""
        return seal(self.services, NAME, number)

    def start(self, number: int = 1) -> dict[str, Any]:
        """Let the function start a batch's iteration."""
        return start(self.services, NAME, number)

    def compare(self, number: int = 1, *, is_waited_for: bool = False) -> dict[str, Any]:
        """Let the function compare a batch's models."""
        return compare(self.services, NAME, number, is_waited_for=is_waited_for)

    def close(self, number: int = 1, *, error: str = "", cause: str = "") -> dict[str, Any]:
        """Let the function close a batch."""
        return close(self.services, NAME, number, error=error, cause=cause)

    def await_datasets(self, number: int = 1) -> None:
        """Let time pass until a sealed batch's datasets are complete."""
        arns = self.batch(number).datasets
        ended = self.until(
            lambda: {self._dataset_status(arn) for arn in arns},
            lambda statuses: "CREATING" not in statuses,
        )
        assert ended == {"COMPLETED"}

    def await_iteration(self, number: int = 1) -> None:
        """Let time pass until a started batch's iteration has ended."""
        comprehend = self.services.comprehend(self.flywheel_arn)
        iteration_id = self.batch(number).iteration_id or ""
        ended = self.until(lambda: comprehend.iteration(iteration_id), lambda i: not i.is_running)
        assert ended.status == "COMPLETED", ended.message

    def await_answers(self, number: int = 1) -> None:
        """Let time pass until the jobs that a verdict waits for have ended."""
        service = self.services.answer_jobs(self.flywheel_arn)
        for arn in self.batch(number).answer_jobs.values():
            ended = self.until(partial(service.describe, arn), lambda job: not job.is_running)
            assert ended.status == "COMPLETED", ended.message

    def sealed(self, number: int = 1) -> None:
        """Bring an open batch to where its datasets are complete."""
        self.seal(number)
        self.await_datasets(number)

    def trained(self, number: int = 1) -> None:
        """Bring an open batch to where its iteration has ended."""
        self.sealed(number)
        assert self.start(number)["is_started"]
        self.await_iteration(number)

    def sent(self, number: int = 1, kind: str = "train") -> list[str]:
        """Return the lines of a batch's dataset, in order."""
        prefix = f"batches/{NAME}/{number}/{kind}/"
        return [line for key in self.keys(prefix) for line in self.lines(key)]

    def keys(self, prefix: str) -> list[str]:
        """Return the staging bucket's keys under a prefix, sorted."""
        answer = client("s3").list_objects_v2(Bucket=STAGING, Prefix=prefix)
        return sorted(item["Key"] for item in answer.get("Contents", []))

    def lines(self, key: str) -> list[str]:
        """Return a staging object's lines."""
        return (self.services.staging.text(key) or "").splitlines()

    def until(self, look: Callable[[], T], accepts: Callable[[T], bool]) -> T:
        """Let time pass, ten seconds a look, until what is seen is accepted, and return it."""

        def look_later() -> T:
            self.clock.advance(10.0)
            return look()

        seen = look()
        return seen if accepts(seen) else until(look_later, accepts, seconds=60)

    def settle(self) -> None:
        """Let the engine end what it is doing for this flywheel."""
        comprehend = self.services.comprehend(self.flywheel_arn)
        self.until(
            lambda: [item.id for item in comprehend.iterations() if item.is_running],
            lambda running: not running,
        )
        self.until(self._creating, lambda creating: not creating)

    def _creating(self) -> list[str]:
        answer = client("comprehend").list_datasets(FlywheelArn=self.flywheel_arn)
        found = answer["DatasetPropertiesList"]
        return [item["DatasetArn"] for item in found if item["Status"] == "CREATING"]

    def _dataset_status(self, arn: str) -> str:
        answer = client("comprehend").describe_dataset(DatasetArn=arn)
        return answer["DatasetProperties"]["Status"]


def _task(entity_types: Sequence[str]) -> Any:
    if entity_types:
        types = [{"Type": kind} for kind in entity_types]
        return {"LanguageCode": "en", "EntityRecognitionConfig": {"EntityTypes": types}}
    labels = {"Mode": "MULTI_CLASS", "Labels": list(LABELS)}
    return {"LanguageCode": "en", "DocumentClassificationConfig": labels}


@contextmanager
def running_world(
    cloud: Cloud,
    clock: DrivenClock,
    active_model: str | None = None,
    *,
    entity_types: Sequence[str] = (),
) -> Iterator[World]:
    """Have a flywheel, new or with an active model, that is ready for uploads.

    Parameters
    ----------
    entity_types : sequence of str
        Of a recognizer; none for a classifier of `LABELS`.
    """
    arn = client("comprehend").create_flywheel(
        FlywheelName=f"test-{NAME}-g{next(_numbers)}",
        DataAccessRoleArn=_ROLE,
        DataLakeS3Uri=f"s3://{LAKE}/{NAME}",
        ModelType="ENTITY_RECOGNIZER" if entity_types else "DOCUMENT_CLASSIFIER",
        TaskConfig=_task(entity_types),
    )["FlywheelArn"]
    world = World(cloud, clock, arn)
    describe = world.services.comprehend(arn).describe
    world.until(describe, lambda facts: facts.status != "CREATING")
    if active_model:
        client("comprehend").update_flywheel(FlywheelArn=arn, ActiveModelArn=active_model)
    world.configure()

    def note(model: Any, **_: Any) -> None:
        world.comprehend_calls.append(model.name)

    client("comprehend").meta.events.register("before-call.comprehend", note)
    yield world
    world.settle()

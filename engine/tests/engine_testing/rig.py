"""A running engine over a real S3 server, and the calls that most tests begin with."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from comprehend_engine.clock import Clock
from comprehend_engine.engine import Engine, EngineSettings

if TYPE_CHECKING:
    from mypy_boto3_comprehend.client import ComprehendClient
    from mypy_boto3_s3.client import S3Client

BUCKET = "data-bucket"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/comprehend-data-access"
LABELS = ("billing", "delivery")
TASK = {"LanguageCode": "en"}
LabeledRow = tuple[str, str]
T = TypeVar("T")
_WORDS = {
    "billing": "invoice charged refund card payment twice money bank",
    "delivery": "parcel late courier address box arrived street van",
}
_numbers = count(1)


def rows(
    documents_per_label: int, *, first: int = 0, labels: Sequence[str] = LABELS
) -> list[LabeledRow]:
    """Make documents of separable labels; other numbers make other documents."""
    made = []
    for number in range(first, first + documents_per_label):
        for label in labels:
            words = _WORDS[label].split()
            chosen = " ".join(words[(number * step) % len(words)] for step in (1, 3, 5))
            made.append((label, f"{chosen} number {number}"))
    return made


def until(look: Callable[[], T], accepts: Callable[[T], bool], *, seconds: float = 30.0) -> T:
    """Return what `look` returns as soon as it is accepted.

    Raises
    ------
    TimeoutError
        When it never was.
    """
    never, pause, ends_at = threading.Event(), 0.005, time.monotonic() + seconds
    while not accepts(seen := look()):
        if time.monotonic() > ends_at:
            message = f"still {seen} after {seconds} s"
            raise TimeoutError(message)
        never.wait(pause)
        # Looks cost the processor that the training waits for, so they grow rarer.
        pause = min(pause * 1.5, 0.1)
    return seen


@dataclass(frozen=True, slots=True)
class Rig:
    """An engine, a client of it, and the S3 it reads."""

    engine: Engine
    comprehend: "ComprehendClient"
    s3: "S3Client"

    def put(self, key: str, documents: Sequence[LabeledRow]) -> str:
        """Write documents to S3; return the URI."""
        return self.put_text(key, "".join(f"{label},{text}\n" for label, text in documents))

    def put_text(self, key: str, body: str) -> str:
        """Write a file to S3; return its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        return f"s3://{BUCKET}/{key}"

    def in_lake(self, uri: str) -> dict[str, str]:
        """Return the files under a prefix, by their names under it."""
        prefix = uri.removeprefix(f"s3://{BUCKET}/")
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        return {
            entry["Key"].removeprefix(prefix): self.s3.get_object(Bucket=BUCKET, Key=entry["Key"])[
                "Body"
            ]
            .read()
            .decode()
            for entry in found
        }

    def flywheel(self, *, labels: Sequence[str] = LABELS, waits: bool = True, **more: Any) -> str:
        """Create a flywheel with a new name; return its ARN once it is ACTIVE."""
        task = classifier_task("MULTI_CLASS", labels)
        request: dict[str, Any] = {
            "FlywheelName": f"flywheel-{next(_numbers)}",
            "DataAccessRoleArn": ROLE,
            "DataLakeS3Uri": f"s3://{BUCKET}/lake",
            **({} if "ActiveModelArn" in more else task),
            **more,
        }
        arn = self.comprehend.create_flywheel(**request)["FlywheelArn"]
        if waits:
            until(lambda: self.described(arn), lambda seen: seen["Status"] != "CREATING")
        return arn

    def described(self, flywheel: str) -> Mapping[str, Any]:
        """Describe a flywheel."""
        return self.comprehend.describe_flywheel(FlywheelArn=flywheel)["FlywheelProperties"]

    def begin_dataset(self, flywheel: str, uri: str, kind: str = "TRAIN", **more: Any) -> str:
        """Create a dataset with a new name from a URI; return its ARN at once."""
        request: dict[str, Any] = {
            "FlywheelArn": flywheel,
            "DatasetName": f"dataset-{next(_numbers)}",
            "DatasetType": kind,
            "InputDataConfig": csv_at(uri),
            **more,
        }
        return self.comprehend.create_dataset(**request)["DatasetArn"]

    def dataset(
        self, flywheel: str, documents: Sequence[LabeledRow], kind: str = "TRAIN"
    ) -> Mapping[str, Any]:
        """Create a dataset of documents; return its description once it has ended."""
        uri = self.put(f"in/{next(_numbers)}.csv", documents)
        return self.ended_dataset(self.begin_dataset(flywheel, uri, kind))

    def ended_dataset(self, arn: str) -> Mapping[str, Any]:
        """Return a dataset's description once it is COMPLETED or FAILED."""
        return until(
            lambda: self.comprehend.describe_dataset(DatasetArn=arn)["DatasetProperties"],
            lambda seen: seen["Status"] != "CREATING",
        )

    def begin_iteration(self, flywheel: str, **more: Any) -> str:
        """Start an iteration; return its id."""
        answer = self.comprehend.start_flywheel_iteration(FlywheelArn=flywheel, **more)
        return answer["FlywheelIterationId"]

    def iteration(self, flywheel: str, iteration_id: str) -> Mapping[str, Any]:
        """Describe an iteration."""
        return self.comprehend.describe_flywheel_iteration(
            FlywheelArn=flywheel, FlywheelIterationId=iteration_id
        )["FlywheelIterationProperties"]

    def iterated(self, flywheel: str) -> Mapping[str, Any]:
        """Start an iteration; return its description once it is COMPLETED or FAILED."""
        return self.ended_iteration(flywheel, self.begin_iteration(flywheel))

    def ended_iteration(self, flywheel: str, iteration_id: str) -> Mapping[str, Any]:
        """Return an iteration's description once it is COMPLETED or FAILED."""
        return until(
            lambda: self.iteration(flywheel, iteration_id),
            lambda seen: seen["Status"] in ("COMPLETED", "FAILED"),
        )

    def trained(self) -> tuple[str, str]:
        """Return a flywheel with data and one COMPLETED iteration, and its model."""
        flywheel = self.flywheel()
        self.dataset(flywheel, rows(12))
        self.dataset(flywheel, rows(5, first=50), "TEST")
        return flywheel, self.iterated(flywheel)["TrainedModelArn"]


def csv_at(uri: str, **more: str) -> dict[str, Any]:
    """Return the InputDataConfig of a classifier's CSV file."""
    source = {"S3Uri": uri, **more}
    return {"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source}


def manifest_at(uri: str, *attributes: str) -> dict[str, Any]:
    """Return the InputDataConfig of an augmented manifest."""
    manifest = {"S3Uri": uri, "AttributeNames": list(attributes)}
    return {"DataFormat": "AUGMENTED_MANIFEST", "AugmentedManifests": [manifest]}


def entities_at(documents: str, form: str | None = None, **labels: str) -> dict[str, Any]:
    """Return the InputDataConfig of a recognizer: Annotations or EntityList by their URI."""
    source: dict[str, Any] = {member: {"S3Uri": uri} for member, uri in labels.items()}
    source["Documents"] = {"S3Uri": documents, **({"InputFormat": form} if form else {})}
    return {"EntityRecognizerInputDataConfig": source}


def classifier_task(mode: str, labels: Sequence[str], language: str = "en") -> dict[str, Any]:
    """Return CreateFlywheel's members for a classifier."""
    config = {"Mode": mode, "Labels": list(labels)}
    task = {"LanguageCode": language, "DocumentClassificationConfig": config}
    return {"ModelType": "DOCUMENT_CLASSIFIER", "TaskConfig": task}


def entity_task(types: Sequence[str], language: str = "en") -> dict[str, Any]:
    """Return CreateFlywheel's members for a recognizer."""
    config = {"EntityTypes": [{"Type": kind} for kind in types]}
    task = {"LanguageCode": language, "EntityRecognitionConfig": config}
    return {"ModelType": "ENTITY_RECOGNIZER", "TaskConfig": task}


def client(service: str, url: str, **options: Any) -> Any:
    """Make a client that asks once; `options` are of botocore's Config."""
    return boto3.client(
        service,  # type: ignore[call-overload] # one maker for both services
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, **options),
    )


@contextmanager
def running(
    directory: Path, s3: "S3Client", *, clock: Clock | None = None, **settings: Any
) -> Iterator[Rig]:
    """Run an engine with its state in a directory."""
    chosen = EngineSettings(directory, **{"pace_seconds": 0.0, **settings})
    with Engine(chosen, s3_client_for_role=lambda _: s3, clock=clock) as engine:
        comprehend = client("comprehend", engine.url)
        try:
            yield Rig(engine, comprehend, s3)
        finally:
            comprehend.close()

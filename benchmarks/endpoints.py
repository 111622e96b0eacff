"""How long one question to an endpoint takes: `python -m benchmarks endpoints`.

An engine runs, a flywheel trains a classifier and another one a recognizer, both from generated
documents, and boto3 asks their endpoints over HTTP, one question after the other. A call that asks
no model stands beside them: what it takes is boto3 and HTTP. Read next:
`comprehend_engine.operations.realtime`.
"""

import logging
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from benchmarks.patterns import generate_patterns, write_annotated
from benchmarks.tables import Result
from comprehend_engine.engine import Engine, EngineSettings
from console.demo.sample_tickets import LABELS, generate_tickets
from flywheel.intake.labeled_rows import LabeledRow, csv_line

_BUCKET = "data-bucket"
_ROLE = "arn:aws:iam::123456789012:role/comprehend-data-access"
_CALLS, _QUICK_CALLS, _WARMING_CALLS = 200, 50, 20
_TRAINED = 2000
_LONGEST_WAIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running engine's client, and a client of the S3 that it reads."""

    comprehend: Any
    s3: Any

    def put(self, folder: Path) -> str:
        """Upload the files of a folder; return their prefix."""
        for file in folder.iterdir():
            key = f"in/{folder.name}/{file.name}"
            self.s3.put_object(Bucket=_BUCKET, Key=key, Body=file.read_bytes())
        return f"s3://{_BUCKET}/in/{folder.name}"

    def endpoint(self, name: str, kind: str, task: Mapping[str, Any], data: Any) -> str:
        """Train a model by a flywheel; return the endpoint that serves it."""
        flywheel = self.comprehend.create_flywheel(
            FlywheelName=name,
            DataAccessRoleArn=_ROLE,
            DataLakeS3Uri=f"s3://{_BUCKET}/lake",
            ModelType=kind,
            TaskConfig={"LanguageCode": "en", **task},
        )["FlywheelArn"]
        _ended(lambda: self._flywheel(flywheel), "ACTIVE")
        dataset = self.comprehend.create_dataset(
            FlywheelArn=flywheel, DatasetName=name, DatasetType="TRAIN", InputDataConfig=data
        )["DatasetArn"]
        _ended(lambda: self._dataset(dataset), "COMPLETED")
        iteration = self.comprehend.start_flywheel_iteration(FlywheelArn=flywheel)
        identifier = iteration["FlywheelIterationId"]
        trained = _ended(lambda: self._iteration(flywheel, identifier), "COMPLETED")
        endpoint: str = self.comprehend.create_endpoint(
            EndpointName=name, ModelArn=trained["TrainedModelArn"], DesiredInferenceUnits=1
        )["EndpointArn"]
        _ended(lambda: self.described(endpoint), "IN_SERVICE")
        return endpoint

    def described(self, endpoint: str) -> Any:
        """Describe an endpoint."""
        return self.comprehend.describe_endpoint(EndpointArn=endpoint)["EndpointProperties"]

    def _flywheel(self, arn: str) -> Any:
        return self.comprehend.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]

    def _dataset(self, arn: str) -> Any:
        return self.comprehend.describe_dataset(DatasetArn=arn)["DatasetProperties"]

    def _iteration(self, flywheel: str, identifier: str) -> Any:
        return self.comprehend.describe_flywheel_iteration(
            FlywheelArn=flywheel, FlywheelIterationId=identifier
        )["FlywheelIterationProperties"]


def measure(*, quick: bool = False) -> list[Result]:
    """Ask a classifier's endpoint and a recognizer's."""
    calls = _QUICK_CALLS if quick else _CALLS
    with tempfile.TemporaryDirectory() as scratch, _served(Path(scratch)) as served:
        classifier, tickets = _classifier(served, Path(scratch))
        recognizer, patterns = _recognizer(served, Path(scratch))
        comprehend = served.comprehend
        rows = [
            _asked(
                "ClassifyDocument",
                lambda text: comprehend.classify_document(Text=text, EndpointArn=classifier),
                tickets[:calls],
            ),
            _asked(
                "DetectEntities",
                lambda text: comprehend.detect_entities(Text=text, EndpointArn=recognizer),
                patterns[:calls],
            ),
            _asked("DescribeEndpoint", lambda _: served.described(classifier), [""] * calls),
        ]
    columns = ("operation", "calls", "characters per text", "p50, ms", "p95, ms", "longest, ms")
    notes = (
        f"One question after the other, by boto3 over HTTP, after {_WARMING_CALLS} that do not "
        "count. The engine serves from the process that asks; its models answer in a separate "
        "process. "
        f"Flywheels trained them from {_TRAINED:,} sample tickets of {len(LABELS)} labels, "
        f"and from {_TRAINED:,} documents of patterns. DescribeEndpoint asks no model.",
    )
    return [Result("One question to a warm endpoint", columns, rows, notes)]


def _asked(operation: str, ask: Callable[[str], object], texts: Sequence[str]) -> tuple[str, ...]:
    """Ask each text, and return the table's row."""
    for text in texts[:_WARMING_CALLS]:
        ask(text)
    taken = sorted(_milliseconds(ask, text) for text in texts)
    mean = sum(map(len, texts)) / len(texts)
    return (
        *(operation, f"{len(texts)}", f"{mean:.0f}" if mean else "-"),
        *(f"{taken[int(share * (len(taken) - 1))]:.2f}" for share in (0.5, 0.95, 1)),
    )


def _milliseconds(ask: Callable[[str], object], text: str) -> float:
    began = time.perf_counter()
    ask(text)
    return 1000 * (time.perf_counter() - began)


@contextmanager
def _served(scratch: Path) -> Iterator[Served]:
    """Run an engine, and the S3 that it reads."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3 = _client("s3", f"http://{host}:{port}")
    s3.create_bucket(Bucket=_BUCKET)
    settings = EngineSettings(scratch / "engine", pace_seconds=0.0)
    try:
        with Engine(settings, s3_client_for_role=lambda _: s3) as engine:
            yield Served(_client("comprehend", engine.url), s3)
    finally:
        server.stop()


def _client(service: Any, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def _classifier(served: Served, scratch: Path) -> tuple[str, list[str]]:
    """Return an endpoint that knows tickets, and tickets that it does not know."""
    tickets = iter(generate_tickets(_TRAINED + _CALLS, seed=1))
    folder = scratch / "tickets"
    folder.mkdir()
    lines = [csv_line(LabeledRow(label, text)) for label, text in islice(tickets, _TRAINED)]
    (folder / "train.csv").write_text("".join(lines), "utf-8")
    source = {"S3Uri": f"{served.put(folder)}/train.csv"}
    endpoint = served.endpoint(
        "tickets",
        "DOCUMENT_CLASSIFIER",
        {"DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)}},
        {"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source},
    )
    return endpoint, [text for _, text in tickets]


def _recognizer(served: Served, scratch: Path) -> tuple[str, list[str]]:
    """Return an endpoint that knows patterns, and documents that it does not know."""
    chance = random.Random(7)
    documents, mentions = generate_patterns(chance, _TRAINED)
    write_annotated(scratch / "patterns", documents, mentions)
    uri = served.put(scratch / "patterns")
    types = sorted({entity_type for spans in mentions for _, _, entity_type in spans})
    source = {
        "Documents": {"S3Uri": f"{uri}/documents.txt", "InputFormat": "ONE_DOC_PER_LINE"},
        "Annotations": {"S3Uri": f"{uri}/annotations.csv"},
    }
    endpoint = served.endpoint(
        "patterns",
        "ENTITY_RECOGNIZER",
        {"EntityRecognitionConfig": {"EntityTypes": [{"Type": each} for each in types]}},
        {"EntityRecognizerInputDataConfig": source},
    )
    return endpoint, generate_patterns(chance, _CALLS)[0]


def _ended(look: Callable[[], Any], wanted: str) -> Any:
    """Return what is seen once it has the wanted status.

    Raises
    ------
    RuntimeError
        It failed, or took too long.
    """
    until = time.monotonic() + _LONGEST_WAIT_SECONDS
    while (seen := look())["Status"] != wanted:
        if seen["Status"] == "FAILED" or time.monotonic() > until:
            message = f"not {wanted}: {seen}"
            raise RuntimeError(message)
        time.sleep(0.05)
    return seen

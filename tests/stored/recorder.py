"""Notes everything that the product writes and sends, at the clients that it calls.

A `Sample` is one value of one kind: a ledger row, an object, the parameters of a call, what a task
of the workflow was given and answered, a metric. Read next: `tests.stored.samples`.
"""

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends

from adapters.clients import client
from tests.functions.cloud import ACCOUNT, INBOX, REGION, TABLE

CALLS: Mapping[Any, tuple[str, ...]] = {
    "comprehend": (
        "CreateDataset",
        "CreateFlywheel",
        "StartDocumentClassificationJob",
        "StartEntitiesDetectionJob",
        "StartFlywheelIteration",
        "UpdateEndpoint",
        "UpdateFlywheel",
    ),
    "lambda": ("Invoke",),
    "sns": ("Publish",),
    "sqs": ("SendMessage", "ChangeMessageVisibility"),
    "stepfunctions": ("StartExecution", "SendTaskSuccess"),
}
"""Calls that change something outside, beside rows and objects."""


_BASE64 = "base64:"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value that was written or sent."""

    group: str
    kind: str
    value: Any


@dataclass(slots=True)
class Recorder:
    """Collects samples while it listens."""

    samples: list[Sample] = field(default_factory=list)
    _keys: list[Mapping[str, Any]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what is written and sent."""
        printed = io.StringIO()
        with ExitStack() as stack:
            for service, operations in CALLS.items():
                for operation in operations:
                    self._listen(stack, service, "provide-client-params", operation, self._called)
            for operation in ("TransactWriteItems", "UpdateItem"):
                self._listen(
                    stack, "dynamodb", "provide-client-params", operation, self._about_to_write
                )
                self._listen(stack, "dynamodb", "after-call", operation, self._written)
            self._listen(stack, "s3", "provide-client-params", "PutObject", self._put)
            stack.enter_context(redirect_stdout(printed))
            yield
        for line in printed.getvalue().splitlines():
            if '"_aws"' in line:
                self._measured(json.loads(line))

    def note(self, group: str, kind: str, value: Any) -> None:
        """Add a sample."""
        self.samples.append(Sample(group, kind, value))

    def calls(self, operation: str) -> list[Any]:
        """Return the parameters of every call of an operation so far."""
        return [sample.value for sample in self.samples if sample.kind == operation]

    def _listen(
        self, stack: ExitStack, service: Any, event: str, operation: str, note: Callable[..., None]
    ) -> None:
        def hook(model: Any = None, **given: Any) -> None:
            note(operation, **given)

        made = client(service)
        name = f"{event}.{made.meta.service_model.service_id.hyphenize()}.{operation}"
        made.meta.events.register(name, hook)
        stack.callback(made.meta.events.unregister, name, hook)

    def _called(self, operation: str, params: Mapping[str, Any], **_: Any) -> None:
        self.note("calls", operation, {name: content(value) for name, value in params.items()})

    def _about_to_write(self, operation: str, params: Mapping[str, Any], **_: Any) -> None:
        changed = [
            item.get("Put") or item.get("Update") for item in params.get("TransactItems", ())
        ]
        rows = [params] if operation == "UpdateItem" else [write for write in changed if write]
        keys = [row.get("Item") or row["Key"] for row in rows]
        self._keys = [{name: key[name] for name in ("pk", "sk")} for key in keys]

    def _written(self, _: str, http_response: Any, **__: Any) -> None:
        if http_response.status_code != 200:
            return
        # Not by a client, which takes a third of a story's time.
        backend = dynamodb_backends[ACCOUNT][REGION]
        for key in self._keys:
            item = backend.get_item(TABLE, key).to_json()["Attributes"]
            read = {name: TypeDeserializer().deserialize(item[name]) for name in item}
            row = json.loads(json.dumps(read, default=_number))
            if row["sk"] == "AUDIT":
                self.note("audit", row["event"], row)
            else:
                self.note("rows", row_kind(row["pk"], row["sk"]), row)

    def _put(self, _: str, params: Mapping[str, Any], **__: Any) -> None:
        body = params["Body"]
        if not isinstance(body, bytes):
            place = body.tell()
            body = body.read()
            params["Body"].seek(place)
        if params["Bucket"] != INBOX:
            kind = "-".join((params["Bucket"].removesuffix("-bucket"), params["Key"].split("/")[0]))
            self.note("objects", kind, {"object_key": params["Key"], "content": content(body)})

    def _measured(self, line: Mapping[str, Any]) -> None:
        (metrics,) = line["_aws"]["CloudWatchMetrics"]
        for metric in metrics["Metrics"]:
            dimensions = {name: line[name] for names in metrics["Dimensions"] for name in names}
            told = {**metric, "Namespace": metrics["Namespace"], "Dimensions": dimensions}
            self.note("metrics", metric["Name"], told)


def _number(value: Decimal) -> float:
    return int(value) if value == int(value) else float(value)


def row_kind(pk: str, sk: str) -> str:
    """Return the kind of a row: what its keys begin with."""
    first, second = pk.partition("#")[0], sk.partition("#")[0]
    return first if first == second else f"{first}-{second}"


def content(value: Any) -> Any:
    """Return bytes as text, those that are none as base64."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"{_BASE64}{base64.b64encode(value).decode()}"


def as_bytes(value: str) -> bytes:
    """Return the bytes again."""
    if value.startswith(_BASE64):
        return base64.b64decode(value.removeprefix(_BASE64))
    return value.encode()

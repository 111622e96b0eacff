"""The ports in memory: table, buckets, topic, queues, executions, with their documented semantics.

The same contract cases that the boto3 adapters pass are passed here (`tests/contract/test_ports.py`).
Faults are put around each call by `World.call`; here everything is as documented.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from adapters.configuration import KnownFlywheel
from adapters.inbox import FoundVersion
from adapters.ledger.table import Change, Delete, Item, Key, Put, Write
from adapters.ports import FlywheelService
from flywheel.errors import ConcurrentChangeError
from flywheel.notices import Notice
from flywheel.uploads import ObjectVersion
from tests.simulation.chance import World

_MOST_ITEMS = 100


@dataclass(slots=True)
class MemoryRows:
    """The ledger's table."""

    world: World
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    watch: Callable[[Write, Item | None], None] = lambda write, before: None

    def get(self, key: Key) -> Item | None:
        """Return a row, or None."""
        return self.world.call("table.get", lambda: self._read(key))

    def get_many(self, keys: Sequence[Key]) -> Iterator[Item]:
        """Give the rows of those keys that have one."""
        found = self.world.call("table.get_many", lambda: [self._read(key) for key in keys])
        return (row for row in found if row is not None)

    def query(self, pk: str, sk_prefix: str) -> Iterator[Item]:
        """Give the rows of one partition whose sort key begins so, in order."""

        def look() -> list[Item]:
            keys = sorted(key for key in self.items if key[0] == pk and key[1].startswith(sk_prefix))
            return [dict(self.items[key]) for key in keys]

        return iter(self.world.call("table.query", look))

    def query_index(self, index: str, attribute: str, value: str, newest: int) -> list[Item]:
        """Return the newest rows of an index's partition, newest first."""

        def look() -> list[Item]:
            rows = [row for row in self.items.values() if row.get(attribute) == value]
            rows = [row for row in rows if "received_at" in row]
            rows.sort(key=lambda row: row["received_at"], reverse=True)
            return [dict(row) for row in rows[:newest]]

        return self.world.call("table.query_index", look)

    def count_up(self, key: Key, attribute: str) -> int:
        """Add one to a counter and return it."""

        def add() -> int:
            row = self.items.setdefault((key.pk, key.sk), {"pk": key.pk, "sk": key.sk})
            row[attribute] = row.get(attribute, 0) + 1
            return int(row[attribute])

        return self.world.call("table.count_up", add)

    def write(self, writes: Sequence[Write]) -> None:
        """Carry out all the writes or none."""
        if len(writes) > _MOST_ITEMS:
            raise ValueError(f"{len(writes)} writes; a transaction takes {_MOST_ITEMS}")
        self.world.call("table.write", lambda: self.apply(writes))

    def apply(self, writes: Sequence[Write]) -> None:
        """Check every condition, then write everything."""
        keys = [(write.key.pk, write.key.sk) for write in writes]
        if len(set(keys)) != len(keys):
            raise ValueError("a transaction names a row twice")
        for write in writes:
            if not self._holds(write):
                raise ConcurrentChangeError(f"condition failed at {write.key}")
        for write in writes:
            self._put(write)

    def _holds(self, write: Write) -> bool:
        row = self.items.get((write.key.pk, write.key.sk))
        if isinstance(write, Put):
            return write.replaces or row is None
        if isinstance(write, Change):
            return row is not None and all(
                row.get(name) == _plain(value) for name, value in write.expect.items()
            )
        return True

    def _put(self, write: Write) -> None:
        key = (write.key.pk, write.key.sk)
        self.watch(write, self.items.get(key))
        if isinstance(write, Delete):
            self.items.pop(key, None)
            return
        if isinstance(write, Put):
            values = {name: _plain(value) for name, value in write.values.items()}
            row = {name: value for name, value in values.items() if value is not None}
            self.items[key] = {**row, "pk": key[0], "sk": key[1]}
            return
        row = self.items[key]
        for name, value in write.set.items():
            if value is None:
                row.pop(name, None)
            else:
                row[name] = _plain(value)

    def _read(self, key: Key) -> Item | None:
        row = self.items.get((key.pk, key.sk))
        # Nobody changes what is within a row; its own attributes are copied.
        return None if row is None else dict(row)


def _plain(value: Any) -> Any:
    """Return a value as it comes back from the table: plain, lists for tuples."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


@dataclass(slots=True)
class MemoryStaging:
    """The staging bucket."""

    world: World
    bucket: str = "staging"
    objects: dict[str, bytes] = field(default_factory=dict)

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give an object's bytes in pieces."""
        yield self.world.call("staging.chunks", lambda: self.objects[key])

    def lines(self, key: str) -> Iterator[str]:
        """Give a text object's lines, ends included."""
        for chunk in self.chunks(key):
            yield from chunk.decode().splitlines(keepends=True)

    def text(self, key: str) -> str | None:
        """Return a small text object, or None."""
        found = self.world.call("staging.text", lambda: self.objects.get(key))
        return None if found is None else found.decode()

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""
        data = body if isinstance(body, bytes) else body.read()

        def put() -> bool:
            return self.objects.setdefault(key, data) is data

        return self.world.call("staging.create", put)


@dataclass(slots=True)
class MemoryInbox:
    """The inbox bucket, all versions of everything."""

    world: World
    bucket: str = "inbox"
    found: dict[ObjectVersion, tuple[bytes, datetime]] = field(default_factory=dict)

    def put(self, key: str, body: bytes) -> ObjectVersion:
        """Drop an object, as a person does."""
        upload = ObjectVersion(self.bucket, key, f"v{len(self.found) + 1}")
        self.found[upload] = (body, self.world.now)
        return upload

    def version_chunks(self, upload: ObjectVersion) -> Iterator[bytes] | None:
        """Return the bytes of exactly this version, or None where it is gone."""
        found = self.world.call("inbox.get", lambda: self.found.get(upload))
        return None if found is None else iter([found[0]])

    def versions(self) -> Iterator[FoundVersion]:
        """Give every object version that is there."""
        listed = self.world.call("inbox.versions", lambda: list(self.found.items()))
        return (FoundVersion(upload, len(body), at) for upload, (body, at) in listed)


@dataclass(slots=True)
class MemoryTopic:
    """The topic, with a subscriber that counts."""

    world: World
    sent: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, str] = field(default_factory=dict)
    silent_until: datetime | None = None

    def publish(self, flywheel: str, notice: Notice) -> None:
        """Publish."""

        def send() -> None:
            self.sent[notice.id] += 1
            self.bodies[notice.id] = f"{notice.subject}\n{notice.body}"
            self.world.note(f"told {notice.subject}")

        if self.silent_until is not None and self.world.now < self.silent_until:
            self.world.call("topic.silent", _refused)
        self.world.call("topic.publish", send)


def _refused() -> None:
    from flywheel.errors import ServiceBusyError  # noqa: PLC0415 - only this fault needs it

    raise ServiceBusyError("sns:Publish", "ServiceUnavailable")


@dataclass(slots=True)
class MemoryMessages:
    """The queues; what is sent to them is delivered by the history (`tests.simulation.history`)."""

    world: World
    deliver_upload: Callable[[ObjectVersion, int], None]
    deliver_digest: Callable[[str], None]

    def announce(self, flywheel: str, delay_seconds: int) -> None:
        """Have the flywheel's upload news looked at when the delay is over."""

        def send() -> None:
            self.world.later(delay_seconds, "digest", lambda: self.deliver_digest(flywheel))

        self.world.call("messages.announce", send)

    def inject(self, upload: ObjectVersion, size_bytes: int) -> None:
        """Have an upload registered as if its event came now."""

        def send() -> None:
            self.world.later(1, "upload", lambda: self.deliver_upload(upload, size_bytes))

        self.world.call("messages.inject", send)

    def deliver_later(self, receipt_handle: str, seconds: int) -> None:
        """Have a message delivered again; the history redelivers by itself."""


@dataclass(slots=True)
class MemoryExecutions:
    """The state machine's executions; their steps are run by the history."""

    world: World
    begin: Callable[[str, str], None]
    statuses: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, document: str) -> None:
        """Start an execution; one of that name that was started before goes on as it is."""

        def go() -> None:
            if name not in self.statuses:
                self.statuses[name] = ("RUNNING", "", "")
                self.inputs[name] = document
                self.begin(name, document)

        self.world.call("executions.start", go)

    def describe(self, name: str) -> tuple[str, str, str] | None:
        """Return status, error and cause of an execution; None where it never began."""
        return self.world.call("executions.describe", lambda: self.statuses.get(name))


@dataclass(slots=True)
class MemoryFunctions:
    """Other functions, run soon."""

    world: World
    close: Callable[[str], None]

    def close_batch(self, payload: str) -> None:
        """Have CloseBatch run with this event."""
        self.world.call(
            "functions.close_batch",
            lambda: self.world.later(1, "close", lambda: self.close(payload)),
        )

    def rebuild_flywheel(self, payload: str) -> None:
        """Have RebuildFlywheel run; histories do not rebuild."""


@dataclass(slots=True, eq=False)
class MemoryPorts:
    """Every port."""

    table: MemoryRows
    staging: MemoryStaging
    inbox: MemoryInbox
    topic: MemoryTopic
    messages: MemoryMessages
    executions: MemoryExecutions
    functions: MemoryFunctions
    service: FlywheelService
    known: dict[str, KnownFlywheel]

    def comprehend(self, flywheel_arn: str) -> FlywheelService:
        """Return the service's calls on one flywheel."""
        return self.service

    def flywheels(self) -> dict[str, KnownFlywheel]:
        """Return the environment's flywheels by name."""
        return self.known

"""The staging bucket and the inbox in memory: objects created once, and every version of a drop."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from application.port_values import ListedVersion
from flywheel.batches.uploads import ObjectVersion
from flywheel.errors import ServiceRefusedError
from tests.simulation.simulator import Simulator


@dataclass(slots=True)
class MemoryStaging:
    """The staging bucket."""

    simulator: Simulator
    bucket: str = "staging"
    objects: dict[str, bytes] = field(default_factory=dict)

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give an object's bytes in pieces."""
        content = self.simulator.call("staging.chunks", lambda: self.objects.get(key))
        if content is None:
            raise ServiceRefusedError("s3:GetObject", "NoSuchKey", key)
        yield content

    def lines(self, key: str) -> Iterator[str]:
        """Give a text object's lines, ends included."""
        for chunk in self.chunks(key):
            for line in chunk.split(b"\n"):
                if line:
                    yield line.decode() + "\n"

    def all_lines(self, keys: Iterable[str]) -> Iterator[Iterator[str]]:
        """Give the lines of several text objects, one object after the other."""
        return (self.lines(key) for key in keys)

    def text(self, key: str) -> str | None:
        """Return a small text object, or None."""
        content = self.simulator.call("staging.text", lambda: self.objects.get(key))
        return None if content is None else content.decode()

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""
        data = body if isinstance(body, bytes) else body.read()

        def put() -> bool:
            if key in self.objects:
                return False
            self.objects[key] = data
            return True

        return self.simulator.call("staging.create", put, is_repeatable=True)


@dataclass(slots=True)
class MemoryInbox:
    """The inbox bucket, with all versions of everything.

    Parameters
    ----------
    locked : set of ObjectVersion
        Encrypted with a key that no function may use, until the calm.
    """

    simulator: Simulator
    bucket: str = "inbox"
    locked: set[ObjectVersion] = field(default_factory=set)
    stored: dict[ObjectVersion, tuple[bytes, datetime]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def version_chunks(self, upload: ObjectVersion) -> Iterator[bytes] | None:
        """Return the bytes of exactly this version, or None where it is gone."""

        def read() -> tuple[bytes, datetime] | None:
            if upload in self.locked and not self.simulator.is_calm:
                raise ServiceRefusedError("s3:GetObjectVersion", "AccessDenied", "of its key")
            return self.stored.get(upload)

        version = self.simulator.call("inbox.version_chunks", read)
        return None if version is None else iter([version[0]])

    def versions(self) -> Iterator[ListedVersion]:
        """Give every object version that is there."""
        listed = self.simulator.call("inbox.versions", lambda: list(self.stored.items()))
        return (ListedVersion(upload, len(body), at) for upload, (body, at) in listed)

    # What people do.

    def drop(self, key: str, body: bytes) -> ObjectVersion:
        """Put an object."""
        upload = ObjectVersion(self.bucket, key, f"v{next(self._numbers)}")
        self.stored[upload] = (body, self.simulator.now)
        return upload

    def delete(self, upload: ObjectVersion) -> None:
        """Delete a version for good."""
        self.stored.pop(upload, None)

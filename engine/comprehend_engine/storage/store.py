"""The engine's database: records and client tokens in SQLite, one file, one lock.

Decides how records are stored, and that acknowledged changes survive. Knows no rule of the service.
A transaction holds the lock, so no other thread can act between a read and the write that depends
on it. Read next: `comprehend_engine.storage.records`.
"""

import errno
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from comprehend_engine.errors import DiskFullError
from comprehend_engine.storage.records import (
    DatasetRecord,
    EndpointRecord,
    FlywheelRecord,
    IterationRecord,
    JobRecord,
    ModelRecord,
    TagsRecord,
)

Record = (
    FlywheelRecord
    | DatasetRecord
    | IterationRecord
    | ModelRecord
    | EndpointRecord
    | JobRecord
    | TagsRecord
)
R = TypeVar(
    "R",
    FlywheelRecord,
    DatasetRecord,
    IterationRecord,
    ModelRecord,
    EndpointRecord,
    JobRecord,
    TagsRecord,
)

_STORED_KINDS: Mapping[type[Record], str] = {
    FlywheelRecord: "Flywheel",
    DatasetRecord: "Dataset",
    IterationRecord: "Iteration",
    ModelRecord: "Model",
    EndpointRecord: "Endpoint",
    JobRecord: "Job",
    TagsRecord: "Tags",
}
"""The name of each kind of record in the database: data directories outlive the classes' names."""

# An acknowledged call must outlive a power cut, not only a crash; and one engine at a time may
# decide what happens next.
_SETTINGS = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, key TEXT NOT NULL, flywheel_arn TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_of_flywheel ON records (kind, flywheel_arn);
CREATE TABLE IF NOT EXISTS tokens (
    scope TEXT NOT NULL, token TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (scope, token)
) WITHOUT ROWID;
"""


class Store:
    """The engine's database.

    Parameters
    ----------
    file : Path
        The database; made when absent.

    Raises
    ------
    OSError
        Another engine has it open: start this one with another directory. Or the disk is full.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            file, check_same_thread=False, isolation_level=None, timeout=0
        )
        try:
            self._connection.executescript(_SETTINGS + _SCHEMA)
        except sqlite3.OperationalError as error:
            self._connection.close()
            if "full" in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file)) from error
            message = f"{file} cannot be used: {error}; does another engine use it?"
            raise OSError(message) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Apply everything inside at once or not at all; no other thread comes between.

        Raises
        ------
        DiskFullError
            The disk is full; nothing changed.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException as error:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
                    message = "The disk of the engine's data directory is full; nothing was stored."
                    raise DiskFullError(message) from error
                raise

    def save(self, *records: Record) -> None:
        """Store records, each in place of the one with its key; all or none."""
        with self.transaction():
            for record in records:
                self._connection.execute(
                    "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)",
                    (
                        _STORED_KINDS[type(record)],
                        record.key,
                        record.flywheel_arn,
                        json.dumps(asdict(record)),
                    ),
                )

    def find(self, kind: type[R], key: str) -> R | None:
        """Return the record with a key, if there is one."""
        with self._lock:
            row = self._connection.execute(
                "SELECT document FROM records WHERE kind = ? AND key = ?",
                (_STORED_KINDS[kind], key),
            ).fetchone()
        return None if row is None else _record(kind, row[0])

    def all(self, kind: type[R], flywheel_arn: str | None = None) -> list[R]:
        """Return the records of a kind, of one flywheel or of all."""
        query = "SELECT document FROM records WHERE kind = ?"
        parameters = [_STORED_KINDS[kind]]
        if flywheel_arn is not None:
            query += " AND flywheel_arn = ?"
            parameters.append(flywheel_arn)
        with self._lock:
            rows = self._connection.execute(query, parameters).fetchall()
        return [_record(kind, row[0]) for row in rows]

    def delete_flywheel(self, flywheel_arn: str) -> None:
        """Remove a flywheel, its datasets, iterations and tokens; its models stay."""
        with self.transaction():
            self._connection.execute(
                "DELETE FROM records WHERE flywheel_arn = ? AND kind != ?",
                (flywheel_arn, _STORED_KINDS[ModelRecord]),
            )
            self._connection.execute(
                "DELETE FROM tokens WHERE scope IN (?, ?, ?)",
                tuple(
                    f"{operation} {flywheel_arn}"
                    for operation in ("CreateFlywheel", "CreateDataset", "StartFlywheelIteration")
                ),
            )

    def delete(self, kind: type[R], key: str, *, scope: str = "") -> None:
        """Remove a record, its tags, and the tokens of a scope."""
        with self.transaction():
            self._connection.executemany(
                "DELETE FROM records WHERE kind = ? AND key = ?",
                [(_STORED_KINDS[kind], key), (_STORED_KINDS[TagsRecord], key)],
            )
            self._connection.execute("DELETE FROM tokens WHERE scope = ?", (scope,))

    def response_to_token(self, scope: str, token: str) -> tuple[str, str] | None:
        """Return the request and the response that a client token stands for, if it was used.

        A scope is an operation, a space, and the ARN of the resource that the token belongs to, or
        ``*`` for any. The token is deleted with that resource.
        """
        with self._lock:
            row: tuple[str, str] | None = self._connection.execute(
                "SELECT request, answer FROM tokens WHERE scope GLOB ? AND token = ?",
                (scope, token),
            ).fetchone()
        return row

    def save_token(self, scope: str, token: str, request: str, response: str) -> None:
        """Store the request and the response that a client token stands for."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?)", (scope, token, request, response)
            )


def _record(kind: type[R], document: str) -> R:
    """Build a record from JSON, which has lists where records have tuples."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(document).items()
    }
    return kind(**fields)

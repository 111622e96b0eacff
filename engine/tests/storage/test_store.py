"""Records in the engine's database."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from comprehend_engine.storage.records import FlywheelRecord, IterationRecord, ModelRecord
from comprehend_engine.storage.store import Store
from engine_testing.stored_records import (
    ARN,
    DATASET,
    ENDPOINT,
    FLYWHEEL,
    ITERATION,
    JOB,
    MODEL,
    TAGS,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store in a new directory."""
    with closing(Store(tmp_path / "engine.sqlite3")) as store:
        yield store


def test_records_are_equal_when_the_file_is_opened_again(tmp_path: Path) -> None:
    """Tuples, mappings and absent members survive."""
    with closing(Store(tmp_path / "again.sqlite3")) as store:
        store.save(FLYWHEEL, ITERATION, MODEL)
    with closing(Store(tmp_path / "again.sqlite3")) as store:
        assert store.find(FlywheelRecord, ARN) == FLYWHEEL
        assert store.all(IterationRecord, ARN) == [ITERATION]
        assert store.find(IterationRecord, "elsewhere") is None


def test_nothing_is_stored_when_a_transaction_fails(store: Store) -> None:
    """A transaction inside another does not save it."""
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.save(FLYWHEEL)
        raise ZeroDivisionError
    assert store.all(FlywheelRecord) == []


def test_opening_is_refused_when_another_engine_has_the_file(tmp_path: Path) -> None:
    """Two engines would both resume the same work; the file is free after a close."""
    file = tmp_path / "engine.sqlite3"
    with closing(Store(file)), pytest.raises(OSError, match="does another engine use it"):
        Store(file)
    Store(file).close()


def test_models_stay_when_their_flywheel_is_deleted(store: Store) -> None:
    """Everything else of the flywheel is deleted, its tokens too."""
    store.save(FLYWHEEL, ITERATION, MODEL)
    store.save_token(f"CreateDataset {ARN}", "token", "{}", "answer")
    assert store.response_to_token("CreateDataset *", "token") == ("{}", "answer")
    assert store.response_to_token("Create *", "token") is None
    store.delete_flywheel(ARN)
    assert store.all(FlywheelRecord) == [] == store.all(IterationRecord)
    assert store.all(ModelRecord) == [MODEL]
    assert store.response_to_token("CreateDataset *", "token") is None


def test_a_record_of_an_earlier_release_is_found_when_its_class_was_renamed(tmp_path: Path) -> None:
    """The kinds in the database are the service's nouns, whatever the names of the classes."""
    file = tmp_path / "engine.sqlite3"
    every_kind = (FLYWHEEL, DATASET, ITERATION, MODEL, ENDPOINT, JOB, TAGS)
    with closing(Store(file)) as store:
        store.save(*every_kind)
    with closing(sqlite3.connect(file)) as database:
        kinds = dict(database.execute("SELECT kind, document FROM records"))
    assert sorted(kinds) == ["Dataset", "Endpoint", "Flywheel", "Iteration", "Job", "Model", "Tags"]
    assert json.loads(kinds["Tags"]) == {"arn": ARN, "flywheel_arn": ARN, "tags": {"team": "a"}}

"""Where chains end is written down outside the ledger, and what contradicts it is reported."""

import inspect
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from adapters.clients import client
from adapters.objects import Objects
from application.chain_heads import write_head
from application.ledger.audit import ENVIRONMENT, entry_hash
from application.port_values import Change, Item, Key, Put
from change_champion import handler as change_champion
from close_batch import handler as close_batch
from compare_models import handler as compare_models
from console.record.offline_verifier import canonical
from tests.functions.cloud import VERDICTS
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, World, documents

FIRST_KEY = f"chain/{NAME}/00000001.json"


def heads(flywheel: str = NAME) -> list[dict[str, Any]]:
    """Return the heads that are kept, oldest first, each with the ``key`` it is kept under."""
    s3 = client("s3")
    listed = s3.list_objects_v2(Bucket=VERDICTS, Prefix=f"chain/{flywheel}/").get("Contents", [])
    return [
        {
            "key": found["Key"],
            **json.loads(s3.get_object(Bucket=VERDICTS, Key=found["Key"])["Body"].read()),
        }
        for found in listed
    ]


def pause(world: World) -> None:
    """Have one more entry in the chain."""
    row = world.services.ledger.flywheels.ensure(NAME, world.flywheel_arn)
    world.services.ledger.flywheels.note_stop(row, "model", "because", world.now())


def entries(world: World) -> list[Item]:
    """Return the flywheel's chain."""
    return world.services.ledger.audit.entries(NAME)


def rewrite(world: World, first: int, *, is_hashed: bool = True) -> None:
    """Put other entries in the place of those from a number on, and let the head name them."""
    chain = entries(world)
    before = chain[first - 1]["previous"]
    for entry in chain[first - 1 :]:
        entry |= {"actor": "somebody else", "previous": before}
        if is_hashed:
            entry["hash"] = entry_hash(entry)
        before = entry["hash"]
        key = Key(f"AUDIT#{NAME}#{entry['seq']}", "AUDIT")
        world.services.ports.table.write([Put(key, entry, replaces=True)])
    head(world, hash=before)


def emptied(world: World, seq: int) -> None:
    """Put a row with nothing in it in the place of an entry."""
    key = Key(f"AUDIT#{NAME}#{seq}", "AUDIT")
    world.services.ports.table.write([Put(key, {}, replaces=True)])


def head(world: World, **values: Any) -> None:
    """Change what the ledger says of where the chain ends."""
    key = Key(f"FLYWHEEL#{NAME}", "AUDIT_HEAD")
    world.services.ports.table.write([Change(key, values)])


def contradictions(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """Return what was reported since the last look; each report is counted by the alarm, too."""
    logged = [
        str(vars(record)["contradiction"])
        for record in caplog.records
        if "contradiction" in vars(record)
    ]
    caplog.clear()
    lines = [
        line for line in capsys.readouterr().out.splitlines() if "audit_contradictions" in line
    ]
    assert [json.loads(line)["service"] for line in lines] == ["audit"] * len(logged)
    return logged


Contradictions = Callable[[], list[str]]


@pytest.fixture
def reports(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Contradictions:
    """Return a function that gives what was reported since its last call."""
    return lambda: contradictions(caplog, capsys)


def test_a_head_is_kept_when_a_chain_has_moved(world: World) -> None:
    """One for each run that finds it moved, under the entry's number; none of an empty chain."""
    reconciled(world.services)
    assert heads() == []
    pause(world)
    for _ in range(2):
        reconciled(world.services)
    pause(world)
    pause(world)
    reconciled(world.services)
    first, second = heads()
    assert first == {
        "key": FIRST_KEY,
        "flywheel": NAME,
        "seq": 1,
        "hash": entries(world)[0]["hash"],
        "at": world.now().isoformat(),
    }
    assert (second["key"], second["seq"]) == (f"chain/{NAME}/00000003.json", 3)


def test_the_environments_own_chain_has_heads_when_it_is_reconciled(world: World) -> None:
    """It records the runs themselves."""
    for _ in range(2):
        reconciled(world.services)
    assert [head["seq"] for head in heads(ENVIRONMENT)] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda world: rewrite(world, 2), "entry 2, or one before it, was written anew"),
        (lambda world: rewrite(world, 1), "entry 2, or one before it, was written anew"),
        (lambda world: rewrite(world, 3, is_hashed=False), "entry 3 was changed"),
        (lambda world: emptied(world, 3), "entry 3 is missing or was changed"),
        (lambda world: head(world, hash="0" * 64), "the head names entry 3 by another hash"),
        (lambda world: head(world, seq=4), "the head names entry 4 by another hash than entry 3"),
        (lambda world: head(world, seq=1), "the chain ends with entry 1, but had 2"),
    ],
)
def test_a_forgery_is_reported_when_the_next_run_looks(
    world: World,
    reports: Contradictions,
    forge: Callable[[World], None],
    words: str,
) -> None:
    """The run goes on, and the head that tells of the forgery stays as it was."""
    pause(world)
    pause(world)
    reconciled(world.services)
    kept = heads()
    pause(world)
    assert reports() == []
    forge(world)
    reconciled(world.services)
    (reported,) = reports()
    assert reported.startswith(words)
    assert kept[0] in heads()


def test_nothing_is_reported_when_a_function_wrote_the_head_first(
    world: World, reports: Contradictions
) -> None:
    """The same head twice is a repeat."""
    pause(world)
    write_head(world.services, NAME)
    world.clock.advance(60)
    reconciled(world.services)
    assert reports() == []
    assert [head["seq"] for head in heads()] == [1]


@pytest.mark.parametrize(
    "planted", [canonical({"hash": "0" * 64, "seq": 1}), b"no JSON"], ids=["a hash", "anything"]
)
def test_a_head_of_another_entry_is_reported_when_it_is_there_first(
    world: World, reports: Contradictions, planted: bytes
) -> None:
    """It is left as it is: it is the evidence."""
    pause(world)
    client("s3").put_object(Bucket=VERDICTS, Key=FIRST_KEY, Body=planted)
    write_head(world.services, NAME)
    (reported,) = reports()
    assert reported.startswith(f"entry 1 has another hash than {FIRST_KEY}")
    assert Objects(VERDICTS, client("s3")).text(FIRST_KEY) == planted.decode()


@pytest.mark.parametrize(
    ("module", "event"),
    [
        (compare_models, {"flywheel": NAME, "batch": 1}),
        (change_champion, {"flywheel": NAME}),
        (
            close_batch,
            {"execution": {"flywheel": NAME, "batch": 1}, "state_machine_arn": "arn:aws:states"},
        ),
    ],
    ids=["CompareModels", "ChangeChampion", "CloseBatch"],
)
def test_the_head_is_kept_when_a_function_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, module: ModuleType, event: dict[str, Any]
) -> None:
    """Those that judge, close and change the champion do not wait for the schedule."""
    world.upload("monday.csv", documents(8))
    world.trained()
    monkeypatch.setattr(module, "services", lambda actor, **_: world.services)
    inspect.unwrap(module.handler)(event, None)
    last = entries(world)[-1]
    assert [(head["seq"], head["hash"]) for head in heads()] == [(last["seq"], last["hash"])]

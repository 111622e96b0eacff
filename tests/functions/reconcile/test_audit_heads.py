"""Where chains end is written down outside the ledger, once a day."""

import json
from typing import Any

from adapters.clients import client
from adapters.ledger.runs import ENVIRONMENT
from reconcile.handler import reconcile
from tests.functions.cloud import VERDICTS
from tests.functions.world import NAME, World

_DAY_SECONDS = 86_400


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


def test_the_head_is_kept_once_when_a_day_has_many_runs(world: World) -> None:
    """The first of the day counts; each day has its own, and a chain without entries has none."""
    reconcile(world.services)
    assert heads() == []
    pause(world)
    reconcile(world.services)
    pause(world)
    reconcile(world.services)
    (first,) = heads()
    entries = world.services.ledger.audit.entries(NAME)
    assert (first["flywheel"], first["seq"], first["hash"]) == (NAME, 1, entries[0]["hash"])
    assert first["key"] == f"chain/{NAME}/{first['at'][:10]}.json"
    world.clock.advance(_DAY_SECONDS)
    reconcile(world.services)
    assert [head["seq"] for head in heads()] == [1, 2]


def test_the_environments_own_chain_has_heads_when_it_is_reconciled(world: World) -> None:
    """It records the runs themselves."""
    reconcile(world.services)
    (head,) = heads(ENVIRONMENT)
    assert head["seq"] == 1

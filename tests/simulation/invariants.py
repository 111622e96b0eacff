"""What must hold in every history: some at every write, the rest when all has come to rest."""

import json
from collections import Counter
from typing import TYPE_CHECKING

from adapters.ledger.audit import entry_hash
from adapters.ledger.table import Change, Delete, Item, Put, Write
from flywheel.batches import BatchName, BatchOutcome, BatchState, Manifest
from flywheel.uploads import DatasetKind, UploadState

if TYPE_CHECKING:
    from tests.simulation.history import History

_MOST_REPEATS = 12
_FINAL = {
    UploadState.STAGED,
    UploadState.SEALED,
    UploadState.DUPLICATE,
    UploadState.REFUSED,
    UploadState.WITHDRAWN,
}


def watch(history: "History") -> None:
    """Look at every write of the ledger."""
    table = history.ports.table

    def look(write: Write, before: Item | None) -> None:
        if isinstance(write, Delete):
            return
        values = write.set if isinstance(write, Change) else write.values
        if write.key.pk.startswith("UPLOAD#") and values.get("state") == UploadState.STAGED:
            times = history.staged_times
            times[write.key.pk] = times.get(write.key.pk, 0) + 1
            if times[write.key.pk] > 1:
                history.world.breaks("an upload is staged once", write.key.pk[:20])
        if isinstance(write, Put) and write.key.sk == "BATCH":
            _check_no_other_open(history, write)

    table.watch = look


def _check_no_other_open(history: "History", opened: Put) -> None:
    others = [
        row
        for (_, sk), row in history.ports.table.items.items()
        if sk == "BATCH" and row["state"] != BatchState.CLOSED
    ]
    if others:
        history.world.breaks("one batch is open", f"{opened.key.pk} beside {others[0]['batch']}")


def check_at_rest(history: "History") -> None:
    """Look at everything after faults have stopped and people have repaired what failed."""
    for check in (
        _everything_is_at_rest,
        _each_upload_is_where_it_belongs,
        _each_row_is_sent_once,
        _slots_are_counted,
        _each_token_started_once,
        _every_outcome_was_told,
        _the_audit_is_whole,
    ):
        check(history)


def _everything_is_at_rest(history: "History") -> None:
    items = history.ports.table.items
    row = items.get(("FLYWHEEL#tickets", "FLYWHEEL"))
    if row is not None and row.get("open_batch") is not None:
        history.world.breaks("all comes to rest", f"batch {row['open_batch']} is open")
    left = [sk for pk, sk in items if pk == "OUTBOX"]
    if left:
        history.world.breaks("the outbox is empty", ", ".join(left[:3]))
    running = [name for name, told in history.ports.executions.statuses.items() if told[0] == "RUNNING"]
    if len(running) > 0:
        history.world.breaks("all comes to rest", f"executions run: {running}")


def _each_upload_is_where_it_belongs(history: "History") -> None:
    items = history.ports.table.items
    for dropped in history.dropped:
        row = items.get((f"UPLOAD#{dropped.upload.uid}", "UPLOAD"))
        state = row["state"] if row else None
        if state not in _FINAL:
            words = f"{dropped.upload.version_id} is {state}"
            history.world.breaks("no upload is lost", words)
        elif dropped.is_valid and state == UploadState.REFUSED:
            history.world.breaks("no good upload is refused", dropped.upload.version_id)
        elif not dropped.is_valid and state not in {UploadState.REFUSED}:
            history.world.breaks("no broken upload is taken", dropped.upload.version_id)


def _each_row_is_sent_once(history: "History") -> None:
    """Each accepted row is in one dataset, or still staged; none is in two, none on both sides."""
    train, test = (history.service.held(kind) for kind in (DatasetKind.TRAIN, DatasetKind.TEST))
    for rows in (train, test):
        twice = [text for (_, text), count in rows.items() if count > 1]
        if twice:
            history.world.breaks("a row is sent once", ", ".join(twice[:3]))
    texts = Counter(text for _, text in train)
    both = [text for _, text in test if text in texts]
    if both:
        history.world.breaks("no test row trains", ", ".join(both[:3]))
    staged = _staged_texts(history)
    sent = {text for _, text in train} | {text for _, text in test}
    # A row that was left out for a test row is told of; that the test row leaves later is no loss.
    staged |= _withdrawn_texts(history)
    for dropped in history.dropped:
        row = history.ports.table.items.get((f"UPLOAD#{dropped.upload.uid}", "UPLOAD"))
        if not dropped.is_valid or row is None or row["state"] == UploadState.WITHDRAWN:
            continue
        lost = [text for _, text in dropped.rows if text not in sent | staged]
        if lost:
            words = f"{dropped.upload.version_id} ({row['state']}): {', '.join(lost[:3])}"
            history.world.breaks("no row is lost", words)


def _withdrawn_texts(history: "History") -> set[str]:
    items = history.ports.table.items
    return {
        text
        for dropped in history.dropped
        if items.get((f"UPLOAD#{dropped.upload.uid}", "UPLOAD"), {}).get("state")
        == UploadState.WITHDRAWN
        for _, text in dropped.rows
    }


def _staged_texts(history: "History") -> set[str]:
    found: set[str] = set()
    for (_, sk), row in history.ports.table.items.items():
        if sk.startswith("STAGED#"):
            body = history.ports.staging.objects[row["staged_key"]].decode()
            found.update(line.split(",", 1)[1] for line in body.splitlines())
    return found


def _slots_are_counted(history: "History") -> None:
    row = history.ports.table.items.get(("FLYWHEEL#tickets", "FLYWHEEL"), {})
    for kind, name in ((DatasetKind.TRAIN, "train_datasets"), (DatasetKind.TEST, "test_datasets")):
        there = sum(item.kind is kind for item in history.service.datasets.values())
        if row.get(name, 0) != there:
            history.world.breaks("slots are counted", f"{kind}: {row.get(name, 0)} of {there}")


def _each_token_started_once(history: "History") -> None:
    for token, count in history.service.started_by_token.items():
        if count > 1:
            history.world.breaks("an attempt starts one iteration", token[:12])


def _every_outcome_was_told(history: "History") -> None:
    sent, items = history.ports.topic.sent, history.ports.table.items
    told = "\n".join(history.ports.topic.bodies.values())
    for (_, sk), row in list(items.items()):
        if sk != "BATCH" or row["state"] != BatchState.CLOSED:
            continue
        ending = {BatchOutcome.FAILED: "failed", BatchOutcome.EMPTY: "empty"}.get(
            row["outcome"], "verdict"
        )
        attempt = f"-{row['attempt']}" if row["attempt"] > 1 else ""
        notice_id = f"tickets-batch-{row['batch']}{attempt}-{ending}"
        if not sent[notice_id]:
            history.world.breaks("every outcome is told", notice_id)
    for dropped in history.dropped:
        row = items.get((f"UPLOAD#{dropped.upload.uid}", "UPLOAD"), {})
        if row.get("state") == UploadState.REFUSED and dropped.upload.key not in told:
            history.world.breaks("every outcome is told", dropped.upload.version_id)
    often = [notice for notice, count in sent.items() if count > _MOST_REPEATS]
    if often:
        history.world.breaks("no notice floods", ", ".join(often[:3]))


def _the_audit_is_whole(history: "History") -> None:
    items, before = history.ports.table.items, "0" * 64
    head = items.get(("FLYWHEEL#tickets", "AUDIT_HEAD"), {"seq": 0})
    for number in range(1, head["seq"] + 1):
        entry = items.get((f"AUDIT#tickets#{number}", "AUDIT"))
        if entry is None or entry["previous"] != before or entry_hash(entry) != entry["hash"]:
            history.world.breaks("the audit is whole", f"entry {number}")
            return
        before = entry["hash"]


def manifest_of(history: "History", batch: int, attempt: int) -> Manifest | None:
    """Return an attempt's manifest, for a trace."""
    key = BatchName("tickets", batch, attempt).manifest_key
    body = history.ports.staging.objects.get(key)
    return None if body is None else Manifest.from_json(json.loads(json.dumps(body.decode())))

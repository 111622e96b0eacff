"""What must hold when faults have stopped and everything has come to rest."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from application.ledger.audit import entry_hash
from application.port_values import Item
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.evaluation.verdict import Verdict
from tests.simulation.invariants.answers import Broken, check_answers
from tests.simulation.invariants.looks import check_looks
from tests.simulation.memory.ports import MemoryPorts
from tests.simulation.memory.texts import label_of
from tests.simulation.people import Dropped
from tests.simulation.simulator import Simulator

_MOST_REPEATS = 12
_FLYWHEEL = "FLYWHEEL#tickets"
_ENDINGS = {BatchOutcome.FAILED: "failed", BatchOutcome.EMPTY: "empty"}
"""The kind of the notice of a batch's end without a verdict."""
_ACCEPTED = {
    UploadState.STAGED,
    UploadState.SEALED,
    UploadState.DUPLICATE,
    UploadState.WITHDRAWN,
    UploadState.MOVED,
}
_ENDS = {
    "valid": _ACCEPTED,
    "broken": {UploadState.REFUSED},
    "misplaced": {UploadState.REFUSED},
    "marker": {UploadState.MARKER},
}


def check_at_rest(simulator: Simulator, ports: MemoryPorts, dropped: Sequence[Dropped]) -> None:
    """Look at everything, and write down what does not hold."""
    for invariant, words in (
        *unsettled(ports, dropped),
        *_uploads_are_taken_rightly(ports, dropped),
        *_rows_are_sent_once(ports),
        *_withdrawn_rows_are_absent(ports),
        *_slots_are_counted(ports),
        *_iterations_are_known(ports),
        *_what_is_said_is_true(ports),
        *_people_were_told(ports, dropped),
        *_the_audit_is_whole(ports),
        *_every_verdict_has_its_document(ports),
        *check_answers(ports),
        *check_looks(ports),
    ):
        simulator.breaks(invariant, words)


def unsettled(ports: MemoryPorts, dropped: Sequence[Dropped]) -> list[tuple[str, str]]:
    """Return what has not come to rest yet, as invariants that are broken if it never does."""
    return [*_work_is_done(ports), *_words_have_gone_out(ports), *_nothing_is_lost(ports, dropped)]


def _work_is_done(ports: MemoryPorts) -> Broken:
    row = ports.table.look(_FLYWHEEL, "FLYWHEEL") or {}
    if row.get("open_batch") is not None:
        yield "all comes to rest", f"batch {row['open_batch']} is open"
    if row.get("rebuild", {}).get("step", "SWITCHED") != "SWITCHED":
        yield "all comes to rest", f"a rebuild is {row['rebuild']['step']}"
    # What a batch of an earlier generation held waits again since the rebuild.
    earlier = max(
        (past["last_batch"] for past in ports.table.rows(_FLYWHEEL, "GENERATION#")), default=0
    )
    for batch in ports.table.rows("BATCH#"):
        is_failed = batch.get("outcome") == BatchOutcome.FAILED and batch["batch"] > earlier
        if batch["state"] != BatchState.CLOSED or is_failed:
            words = f"batch {batch['batch']} is {batch['state']} {batch.get('outcome')}"
            yield "all comes to rest", words
    for name, status in ports.executions.statuses.items():
        if status[0] == "RUNNING":
            yield "all comes to rest", f"{name} runs"
    live = ports.current.active
    if row.get("last_batch") and row.get("expected_champion") != live:
        words = f"{row.get('expected_champion')} in the ledger, {live} is live"
        yield "the ledger knows the champion", words


def _words_have_gone_out(ports: MemoryPorts) -> Broken:
    for notice in ports.table.rows("OUTBOX"):
        yield "the outbox empties", notice["sk"]
    for queue in (ports.messages.uploads, ports.messages.notices_due):
        if queue.waiting:
            yield "the queues empty", f"{len(queue.waiting)} messages wait"


def _nothing_is_lost(ports: MemoryPorts, dropped: Sequence[Dropped]) -> Broken:
    """Each upload is registered; each row of the accepted ones is in a dataset or waits.

    A row that gave way to one that was withdrawn later went with it, and people were notified.
    """
    there = {text for kind in DatasetKind for _, text in ports.current.held(kind)}
    there |= _texts_of(ports, ports.table.rows(_FLYWHEEL, "STAGED#"))
    withdrawn = [
        row for row in ports.table.rows("UPLOAD#") if row["state"] == UploadState.WITHDRAWN
    ]
    there |= _texts_of(ports, withdrawn)
    for item in dropped:
        state = _state(ports, item)
        if state in {None, UploadState.RECEIVED} and not item.is_deleted:
            yield "no upload is lost", f"{item.upload.version_id} is {state}"
        lost = [text for text in item.texts if text not in there]
        if state in _ACCEPTED and lost:
            words = f"{item.upload.version_id} ({state}): {', '.join(lost[:3])}"
            yield "no row is lost", words


def _state(ports: MemoryPorts, item: Dropped) -> UploadState | None:
    row = ports.table.look(f"UPLOAD#{item.upload.uid}", "UPLOAD")
    return UploadState(row["state"]) if row else None


def _uploads_are_taken_rightly(ports: MemoryPorts, dropped: Sequence[Dropped]) -> Broken:
    for item in dropped:
        row = ports.table.look(f"UPLOAD#{item.upload.uid}", "UPLOAD")
        if row is None or (item.is_deleted and row["state"] == UploadState.GONE):
            continue
        if row["state"] not in _ENDS[item.sort] | {UploadState.RECEIVED}:
            words = f"{item.upload.version_id} ({item.sort}) is {row['state']}"
            yield "uploads are processed correctly", words


def _rows_are_sent_once(ports: MemoryPorts) -> Broken:
    for generation in ports.account.flywheels.values():
        train, test = (generation.held(kind) for kind in (DatasetKind.TRAIN, DatasetKind.TEST))
        for rows in (train, test):
            twice = sorted(text for (_, text), count in rows.items() if count > 1)
            if twice:
                yield "a row is sent once", ", ".join(twice[:3])
        strange = sorted(text for label, text in train + test if label_of(text) != label)
        if strange:
            yield "only accepted rows are sent", ", ".join(strange[:3])
        both = {text for _, text in train} & {text for _, text in test}
        if both:
            yield "no test row trains", ", ".join(sorted(both)[:3])


def _withdrawn_rows_are_absent(ports: MemoryPorts) -> Broken:
    """Check that a rebuilt flywheel has no withdrawn row, unless a notice says so."""
    row = ports.table.look(_FLYWHEEL, "FLYWHEEL") or {}
    entries = sorted(ports.table.rows("AUDIT#tickets#"), key=lambda entry: int(entry["seq"]))
    events = [entry["event"] for entry in entries]
    if "generation switched" not in events or "rebuild asked for" not in events:
        return
    asked_at = max(at for at, event in enumerate(events) if event == "rebuild asked for")
    late = {uid for entry in entries[asked_at:] for uid in entry["details"].get("uids", ())}
    uploads = list(ports.table.rows("UPLOAD#"))
    gone = [
        upload
        for upload in uploads
        if upload["state"] == UploadState.WITHDRAWN
        and upload["uid"] not in late
        and upload["key"] not in row.get("taint", ())
    ]
    others = [upload for upload in uploads if "staged_key" in upload and upload not in gone]
    texts = _texts_of(ports, gone) - _texts_of(ports, others)
    held = {text for kind in DatasetKind for _, text in ports.current.held(kind)}
    if row.get("generation", 1) > 1 and texts & held:
        yield "a rebuild drops withdrawn rows", ", ".join(sorted(texts & held)[:3])


def _texts_of(ports: MemoryPorts, uploads: Iterable[Item]) -> set[str]:
    """Return the texts in the canonical copies of uploads."""
    texts: set[str] = set()
    for row in uploads:
        body = ports.staging.objects[row["staged_key"]].decode()
        texts.update(line.split(",", 1)[1] for line in body.splitlines())
    return texts


def _slots_are_counted(ports: MemoryPorts) -> Broken:
    row = ports.table.look(_FLYWHEEL, "FLYWHEEL") or {}
    for kind, name in ((DatasetKind.TRAIN, "train_datasets"), (DatasetKind.TEST, "test_datasets")):
        there = sum(item.kind is kind for item in ports.current.datasets.values())
        if row.get(name, 0) != there:
            yield "slots are counted", f"{kind}: {row.get(name, 0)} in the ledger, {there} exist"


def _iterations_are_known(ports: MemoryPorts) -> Broken:
    """Each iteration belongs to one batch, or a notice reports it as started by another."""
    for iteration_id, iteration in ports.current.history.items():
        row = ports.table.look(_FLYWHEEL, f"ITERATION#{iteration_id}")
        if row is None:
            yield "every iteration is known", iteration_id
        elif "batch" not in row and iteration.status == "COMPLETED" and "judged_at" not in row:
            yield "what others start is judged", iteration_id
    booked = Counter(
        entry["details"]["iteration_id"]
        for entry in ports.table.rows("AUDIT#tickets#")
        if entry["event"] == "iteration started"
    )
    for iteration_id, count in booked.items():
        if count > 1:
            yield "every iteration is known", f"{iteration_id} was booked {count} times"


def _what_is_said_is_true(ports: MemoryPorts) -> Broken:
    """See that what was called promoted was live, and that each iteration was announced."""
    for row in ports.table.rows("VERDICT#"):
        model = Verdict.from_json(row["verdict"]).evidence.challenger_arn
        promoted = row.get("outcome") == BatchOutcome.PROMOTED
        if promoted and model not in ports.account.shared.were_live:
            yield "what notices say is true", f"{model} was never live"
    announced = {
        notice_id.split("-")[2] for notice_id in ports.topic.sent if "-started" in notice_id
    }
    for entry in ports.table.rows("AUDIT#tickets#"):
        number = str(entry["details"].get("batch"))
        if entry["event"] == "iteration started" and number not in announced:
            yield "people are notified", f"batch {number} was never announced"


def _people_were_told(ports: MemoryPorts, dropped: Sequence[Dropped]) -> Broken:
    sent = ports.topic.sent
    for row in ports.table.rows("BATCH#"):
        if row["state"] != BatchState.CLOSED:
            continue
        ending = _ENDINGS.get(row["outcome"], "verdict")
        attempt = f"-{row['attempt']}" if row["attempt"] > 1 else ""
        notice_id = f"tickets-batch-{row['batch']}{attempt}-{ending}"
        if not sent[notice_id]:
            yield "people are notified", notice_id
    bodies = "\n".join(ports.topic.bodies.values())
    for item in dropped:
        row = ports.table.look(f"UPLOAD#{item.upload.uid}", "UPLOAD") or {}
        file_name = item.upload.key.rsplit("/", 1)[-1]
        if row.get("state") in {UploadState.REFUSED, UploadState.GONE} and file_name not in bodies:
            yield "people are notified", f"{item.upload.version_id} is {row['state']}"
    for notice_id, count in sent.items():
        if count > _MOST_REPEATS:
            yield "no notice floods", f"{notice_id}: {count} times"


def _the_audit_is_whole(ports: MemoryPorts) -> Broken:
    """See that the chain is unbroken and that every effect has its entry."""
    head = ports.table.look(_FLYWHEEL, "AUDIT_HEAD") or {"seq": 0}
    before, recorded = "0" * 64, Counter[tuple[str, int]]()
    for number in range(1, head["seq"] + 1):
        entry = ports.table.look(f"AUDIT#tickets#{number}", "AUDIT")
        if entry is None or entry["previous"] != before or entry_hash(entry) != entry["hash"]:
            yield "the audit is whole", f"entry {number}"
            return
        before = entry["hash"]
        recorded[entry["event"], entry["details"].get("batch", 0)] += 1
    for row in ports.table.rows("BATCH#"):
        number, attempts = row["batch"], row["attempt"]
        expected = {"batch opened": 1, "batch reopened": attempts - 1}
        if row["state"] == BatchState.CLOSED:
            expected["batch closed"] = attempts
        if row.get("outcome") in {BatchOutcome.PROMOTED, BatchOutcome.REJECTED, BatchOutcome.HELD}:
            expected["verdict carried out"] = 1
        for event, count in expected.items():
            if recorded[event, number] != count:
                words = f"{event} of batch {number}: {recorded[event, number]} of {count}"
                yield "the audit is whole", words


def _every_verdict_has_its_document(ports: MemoryPorts) -> Broken:
    """See that documents and entries name each other, and that the chain's heads are stored."""
    named = {
        entry["details"]["document"]: entry["details"]["document_sha256"]
        for entry in ports.table.rows("AUDIT#tickets#")
        if entry["event"] == "verdict"
    }
    stored = {
        key: hashlib.sha256(body).hexdigest()
        for key, body in ports.verdicts.objects.items()
        if key.startswith("verdicts/")
    }
    for wrong in sorted(named.items() ^ stored.items()):
        yield "every verdict has its document", str(wrong)
    hashes = {entry["seq"]: entry["hash"] for entry in ports.table.rows("AUDIT#tickets#")}
    for key, body in ports.verdicts.objects.items():
        head = json.loads(body)
        if key.startswith("chain/tickets/") and hashes.get(head["seq"]) != head["hash"]:
            yield "the audit is whole", f"{key}: {head}"

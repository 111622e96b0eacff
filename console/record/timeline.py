"""The decisions and acts about a flywheel, newest first, with who and why.

Gathers them from the audit, which holds every decision and act, and from the uploads that were
refused, which the audit does not hold. `console.views.record` shows them. Changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from application.ledger.ledger import Ledger
from application.ledger.outbox import NO_FLYWHEEL
from application.ledger.upload_rows import UploadRow
from console.record.history import model_name
from console.record.history import why as why_of_batch
from flywheel.batches.uploads import UploadState
from flywheel.notices.notice import file_name
from flywheel.number_words import number_of

_UPLOADS_READ = 1000
_REGISTERED_BY = "register_upload"
_WITHDRAWAL = "withdrawal"
_FILES_NAMED = 3
_NO_NEWS = frozenset({UploadState.REFUSED, UploadState.GONE})

Details = Mapping[str, Any]

_WORDS: Mapping[str, str] = {
    "batch opened": "batch {batch} opened{again}",
    "batch reopened": "batch {batch} opened again, attempt {attempt}",
    "batch sealed": "batch {batch} sealed",
    "batch closed": "batch {batch} closed as {outcome}",
    "slots given back": "dataset slots of batch {batch} given back",
    "test set frozen": "test set frozen with batch {batch}",
    "iteration started": "iteration {iteration_id} started for batch {batch}",
    "iteration judged again": "iteration {iteration_id} judged again by batch {batch}",
    "verdict": "verdict of batch {batch}: {decision}",
    "verdict carried out": "verdict of batch {batch} carried out: {outcome}; live: {live_model}",
    "approval asked for": "a person is asked about verdict {batch}",
    "approval answered": "verdict {batch} {answer}",
    "approval expired": "nobody answered about verdict {batch} in time",
    "champion change began": "{how} began, to {model}",
    "champion changed": "{how}; live: {active}",
    "champion change abandoned": "{how} abandoned",
    "champion changed outside": "active model changed outside; live: {active}",
    "outside iteration": "iteration {iteration_id} started outside",
    "outside iteration judged": "outside iteration {iteration_id} judged: {decision}",
    _WITHDRAWAL: "{uploads} withdrawn",
    "imported": "{documents:,} {kind} documents imported",
    "rebuild asked for": "rebuild to generation {generation} requested",
    "rebuild given up": "rebuild to generation {generation} abandoned",
    "generation switched": "uploads and batches go to generation {generation}",
    "generation stays": "generation {generation} goes on",
    "training stopped": "training of {model} stopped",
    "act refused": "{act} refused",
    "answer refused": "answer about verdict {batch} refused",
}
"""How an entry reads; any other one is shown by the name of its event."""

_MODELS = ("model", "active", "live_model")


@dataclass(frozen=True, slots=True)
class Event:
    """One decision or act.

    Parameters
    ----------
    at : str
        In ISO 8601, UTC.
    event : str
        As the audit names it; or ``upload refused`` and ``upload gone``.
    what : str
        The same with its facts, in words.
    who : str
        A person's ARN, a function's name, or ``outside``.
    why : str
        Empty where nobody gave a reason.
    batch : int or None
    entry : int or None
        The audit's number.
    details : mapping
        All members of the entry.
    """

    at: str
    event: str
    what: str
    who: str
    why: str = ""
    batch: int | None = None
    entry: int | None = None
    details: Details = field(default_factory=dict)


def timeline_of(ledger: Ledger, name: str, most: int) -> list[Event]:
    """Return the newest events of a flywheel in a ledger, newest first."""
    events = [*_decided(ledger, name, most), *_refused(ledger, name)]
    # A stable sort: entries of one moment stay in the order of the audit.
    newest = sorted(events, key=lambda event: datetime.fromisoformat(event.at), reverse=True)
    return newest[:most]


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as JSON values."""
    return {**asdict(event), "details": dict(event.details)}


def _decided(ledger: Ledger, name: str, most: int) -> Iterator[Event]:
    """Yield the audit's events, newest first."""
    head = ledger.audit.head(name)
    if head is None:
        return
    chain = list(ledger.audit.chain(name, head.seq, first=max(1, head.seq - most + 1)))
    reasons = _verdict_reasons(ledger, name, [row["details"] for row in chain])
    withdrawn = _withdrawn_keys(ledger, chain)
    for row in reversed(chain):
        event, details = row["event"], row["details"]
        why = reasons.get((details.get("batch"), details.get("attempt", 1)), "")
        yield Event(
            at=row["at"],
            event=event,
            what=_what(event, details) + _names(withdrawn.get(row["seq"], ())),
            who=str(details.get("by") or row["actor"]),
            why=_why(details) or (why if event == "verdict" else ""),
            batch=details.get("batch"),
            entry=int(row["seq"]),
            details=details,
        )


def _withdrawn_keys(ledger: Ledger, chain: list[Any]) -> dict[int, list[str]]:
    """Return the inbox keys of each withdrawal, by the entry's number."""
    withdrawals = [row for row in chain if row["event"] == _WITHDRAWAL]
    uids = {row["seq"]: row["details"].get("uids", ()) for row in withdrawals}
    rows = ledger.uploads.get_many({uid for named in uids.values() for uid in named})
    return {seq: [rows[uid].key for uid in named if uid in rows] for seq, named in uids.items()}


def _names(keys: Sequence[str]) -> str:
    names = ", ".join(file_name(key) for key in keys[:_FILES_NAMED])
    return f": {names}{', ...' if keys[_FILES_NAMED:] else ''}" if names else ""


def _what(event: str, details: Details) -> str:
    if event not in _WORDS:
        return event
    values = defaultdict(lambda: None, details)
    values |= {name: model_name(details.get(name)) for name in _MODELS}
    values["answer"] = str(details.get("answer")).lower()
    held = details.get("rejudges")
    values["again"] = "" if held is None else f", to judge batch {held} again"
    if event == _WITHDRAWAL:
        values["uploads"] = number_of(details["uploads"], "upload")
    return _WORDS[event].format_map(values)


def _why(details: Details) -> str:
    if details.get("error"):
        paused = details.get("pause")
        failed = f"{details['error']}: {details.get('cause') or 'no cause is known'}"
        return f"{failed}; {paused}" if paused else failed
    if details.get("why") and details.get("reason"):
        return f"{details['why']} (asked for because: {details['reason']})"
    given = (details.get(name) for name in ("reason", "why", "because"))
    return str(next((words for words in given if words), ""))


def _verdict_reasons(
    ledger: Ledger, name: str, details: list[Details]
) -> dict[tuple[int, int], str]:
    """Return the first reason of each verdict, by batch and attempt; entries name none."""
    numbers = sorted({each["batch"] for each in details if "decision" in each and "batch" in each})
    batches = ledger.batches.get_many(name, numbers)
    return {
        (batch.batch, batch.attempt): why_of_batch(batch, ledger.verdicts.get(batch))
        for batch in batches
    }


def _refused(ledger: Ledger, name: str) -> Iterator[Event]:
    """Yield the uploads that were refused, those outside the flywheels' folders too."""
    for flywheel in (name, NO_FLYWHEEL):
        for row in ledger.uploads.newest(flywheel, _UPLOADS_READ):
            if row.state in _NO_NEWS:
                yield _refusal(row)


def _refusal(row: UploadRow) -> Event:
    event = f"upload {row.state.value.lower()}"
    return Event(
        at=row.received_at,
        event=event,
        what=f"{event}: {row.key}",
        who=_REGISTERED_BY,
        why="; ".join(row.reasons),
        details={"uid": row.uid, "key": row.key, "version_id": row.version_id},
    )

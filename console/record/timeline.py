"""What was decided or done about a flywheel, newest first, with who and why.

Gathers it from the audit, which holds every decision and act, and from the uploads that were
refused, which it does not hold. Typed facts; how they look is `console.views.record`, and a page
may show the same. Changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from application.configuration import KnownFlywheel
from application.ledger.ledger import Ledger
from application.ledger.outbox import NO_FLYWHEEL
from application.ledger.upload_rows import UploadRow
from console.environment.target import Target
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

_WORDS: Mapping[str, Callable[[Details], str]] = {
    "batch opened": lambda details: f"batch {details['batch']} opened{_again(details)}",
    "batch reopened": lambda details: (
        f"batch {details['batch']} opened again, attempt {details['attempt']}"
    ),
    "batch sealed": lambda details: f"batch {details['batch']} sealed",
    "batch closed": lambda details: f"batch {details['batch']} closed as {details.get('outcome')}",
    "slots given back": lambda details: f"dataset slots of batch {details['batch']} given back",
    "test set frozen": lambda details: f"test set frozen with batch {details['batch']}",
    "iteration started": lambda details: (
        f"iteration {details['iteration_id']} started for batch {details['batch']}"
    ),
    "iteration judged again": lambda details: (
        f"iteration {details['iteration_id']} judged again by batch {details['batch']}"
    ),
    "verdict": lambda details: f"verdict of batch {details['batch']}: {details['decision']}",
    "verdict carried out": lambda details: (
        f"verdict of batch {details['batch']} carried out: {details['outcome']}; "
        f"live: {model_name(details.get('live_model'))}"
    ),
    "approval asked for": lambda details: f"a person is asked about verdict {details['batch']}",
    "approval answered": lambda details: (
        f"verdict {details['batch']} {str(details['answer']).lower()}"
    ),
    "approval expired": lambda details: f"nobody answered about verdict {details['batch']} in time",
    "champion change began": lambda details: (
        f"{details['how']} began, to {model_name(details.get('model'))}"
    ),
    "champion changed": lambda details: (
        f"{details['how']}; live: {model_name(details.get('active'))}"
    ),
    "champion change abandoned": lambda details: f"{details['how']} given up",
    "champion changed outside": lambda details: (
        f"active model changed outside; live: {model_name(details.get('active'))}"
    ),
    "outside iteration": lambda details: f"iteration {details['iteration_id']} started outside",
    "outside iteration judged": lambda details: (
        f"outside iteration {details['iteration_id']} judged: {details['decision']}"
    ),
    _WITHDRAWAL: lambda details: f"{number_of(details['uploads'], 'upload')} withdrawn",
    "imported": lambda details: f"{details['documents']:,} {details['kind']} documents imported",
    "rebuild asked for": lambda details: f"rebuild to generation {details['generation']} asked for",
    "generation switched": lambda details: (
        f"uploads and batches go to generation {details['generation']}"
    ),
    "generation stays": lambda details: f"generation {details['generation']} goes on",
    "training stopped": lambda details: f"training of {model_name(details.get('model'))} stopped",
    "act refused": lambda details: f"{details.get('act')} refused",
    "answer refused": lambda details: f"answer about verdict {details.get('batch')} refused",
}
"""What is said of an entry; of others the name of the event says it."""


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
        All that the entry holds.
    """

    at: str
    event: str
    what: str
    who: str
    why: str = ""
    batch: int | None = None
    entry: int | None = None
    details: Details = field(default_factory=dict)


def timeline(target: Target, known: KnownFlywheel, most: int) -> list[Event]:
    """Return the newest events of a flywheel, newest first."""
    return timeline_of(target.ledger(), known.settings.name, most)


def timeline_of(ledger: Ledger, name: str, most: int) -> list[Event]:
    """Return the newest events of a flywheel that a ledger tells, newest first."""
    found = [*_decided(ledger, name, most), *_refused(ledger, name)]
    # A stable sort: entries of one moment stay in the order of the audit.
    newest = sorted(found, key=lambda event: datetime.fromisoformat(event.at), reverse=True)
    return newest[:most]


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as JSON values."""
    return {**asdict(event), "details": dict(event.details)}


def _decided(ledger: Ledger, name: str, most: int) -> Iterator[Event]:
    """Give what the audit tells, newest first."""
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
    """Return the inbox keys that each withdrawal took back, by the entry's number."""
    withdrawals = [row for row in chain if row["event"] == _WITHDRAWAL]
    uids = {row["seq"]: row["details"].get("uids", ()) for row in withdrawals}
    rows = ledger.uploads.get_many({uid for named in uids.values() for uid in named})
    return {seq: [rows[uid].key for uid in named if uid in rows] for seq, named in uids.items()}


def _names(keys: Sequence[str]) -> str:
    names = ", ".join(file_name(key) for key in keys[:_FILES_NAMED])
    return f": {names}{', ...' if keys[_FILES_NAMED:] else ''}" if names else ""


def _what(event: str, details: Details) -> str:
    words = _WORDS.get(event)
    return event if words is None else words(details)


def _why(details: Details) -> str:
    if details.get("error"):
        paused = details.get("pause")
        failed = f"{details['error']}: {details.get('cause') or 'no cause is known'}"
        return f"{failed}; {paused}" if paused else failed
    if details.get("why") and details.get("reason"):
        return f"{details['why']} (asked for because: {details['reason']})"
    given = (details.get(name) for name in ("reason", "why", "because"))
    return str(next((words for words in given if words), ""))


def _again(details: Details) -> str:
    held = details.get("rejudges")
    return "" if held is None else f", to judge batch {held} again"


def _verdict_reasons(
    ledger: Ledger, name: str, details: list[Details]
) -> dict[tuple[int, int], str]:
    """Return the first reason of each verdict, by batch and attempt; entries name none."""
    numbers = sorted({told["batch"] for told in details if "decision" in told and "batch" in told})
    batches = ledger.batches.get_many(name, numbers)
    return {
        (batch.batch, batch.attempt): why_of_batch(batch, ledger.verdicts.get(batch))
        for batch in batches
    }


def _refused(ledger: Ledger, name: str) -> Iterator[Event]:
    """Give the uploads that were refused, those outside the flywheels' folders too."""
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

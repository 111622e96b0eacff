"""How a status looks to people.

Decides looks and words; the facts are `console.flywheels.status`.
"""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from application.ledger.flywheel_rows import PauseReason
from console.flywheels.rebuild_status import rebuild_words
from console.flywheels.status import FlywheelStatus
from console.views.live_model import barred_rows, live_rows, status_table, verdict_rows
from console.views.principals import with_short_principals
from console.views.verdict import OUTCOME_STYLES, f1_words, model_name
from flywheel.notices.acts import shown_actor
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_LABELS_SHOWN = 12
_TAINTS_SHOWN = 3


def status_view(
    environment: str, statuses: Sequence[FlywheelStatus], unconfirmed: Sequence[str]
) -> RenderableType:
    """Return the status of an environment's flywheels; of several first one line each."""
    parts: list[RenderableType] = []
    if len(statuses) > 1:
        parts += [status_table(statuses), Text()]
    for status in statuses:
        parts += [
            Text(f"{environment} / {status.row.name}", "bold"),
            _table(environment, status),
            Text(),
        ]
    parts += [
        Text(f"{address} has not confirmed the subscription: it gets no notices.", "yellow")
        for address in unconfirmed
    ]
    return Group(*(parts if unconfirmed else parts[:-1]))


def _table(environment: str, status: FlywheelStatus) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in (
        ("active model", _active(status)),
        *live_rows(status),
        ("now", _now(status)),
        *((("waits for", _question(environment, status)),) if status.approval else ()),
        *((("promotion", _promotion(status)),) if status.row.promotion_pause else ()),
        *((("rebuild", _rebuild(environment, status)),) if status.rebuild else ()),
        *((("tainted", _taint(status)),) if status.row.taint else ()),
        *((("live model", _withdrawn(status)),) if status.live_trained_on_withdrawn else ()),
        ("staged", _staged(status)),
        *((("WAITING", _halves(status)),) if status.halves else ()),
        ("next batch", _next(status)),
        *((("labels waiting", "\n".join(status.waits)),) if status.waits else ()),
        ("test set", _test_set(status)),
        ("datasets used", _slots(status)),
        ("last outcome", _last(status)),
        *verdict_rows(status),
        *barred_rows(status),
        ("notices waiting", str(status.waiting_notices)),
        ("last reconciled", status.last_run["at"][:19] + "Z" if status.last_run else "not yet"),
    ):
        table.add_row(name, words)
    return table


def _active(status: FlywheelStatus) -> Text:
    name = model_name(status.active_model)
    flywheel = "" if status.flywheel_status == "ACTIVE" else f" (flywheel {status.flywheel_status})"
    return Text.assemble((name, "green" if status.active_model else "yellow"), flywheel)


def _now(status: FlywheelStatus) -> Text:
    running, pause = status.running, status.row.pause
    if running is None and pause is not None:
        words = f"  by {_who(pause)}, {pause.at[:16]}: {shown(pause.reason, 200)}"
        return Text.assemble(("PAUSED", "bold red"), words)
    if running is None:
        return Text("idle")
    text = Text.assemble((running.phase, "cyan"), f"  {running.words}")
    if running.execution is not None and running.execution != "RUNNING":
        text.append(f"  (workflow {running.execution})", "red")
    return text


def _question(environment: str, status: FlywheelStatus) -> Text:
    """Say what a person is asked, and the commands that answer it."""
    asked = status.approval
    if asked is None:
        return Text()
    place = f"{asked.batch} {asked.flywheel} --env {environment} --reason TEXT"
    return Text.assemble(
        ("a person", "bold yellow"),
        f", until {asked.until:%Y-%m-%d %H:%M} UTC; verdict {asked.batch} says PROMOTE\n"
        f"flywheel approve {place}\nflywheel reject {place}",
    )


def _rebuild(environment: str, status: FlywheelStatus) -> Text:
    if status.rebuild is None:
        return Text()
    return rebuild_words(environment, status.row.name, status.rebuild)


def _promotion(status: FlywheelStatus) -> Text:
    pause = status.row.promotion_pause
    words = f"  by {_who(pause)}: {shown(pause.reason, 200)}" if pause else ""
    return Text.assemble(("PAUSED until flywheel resume", "bold yellow"), words)


def _who(pause: PauseReason) -> str:
    return shown_actor(with_short_principals(pause.by), 100)


def _staged(status: FlywheelStatus) -> str:
    told = [
        f"{sum(counts.values()):,} for {kind}: {_counts(counts)}"
        for kind, counts in (("training", status.staged_train), ("test", status.staged_test))
        if counts
    ]
    return "\n".join(told) or "nothing"


def _halves(status: FlywheelStatus) -> Text:
    """Name the halves of entity uploads that wait, and for which file."""
    return Text("\n".join(shown(words, 200) for words in status.halves), "yellow")


def _taint(status: FlywheelStatus) -> Text:
    """Name what was taken back and is in the datasets all the same."""
    words = f"TAINTED: withdrawn, but in its datasets: {_first_keys(status.row.taint)}"
    return Text(words, "bold yellow")


def _withdrawn(status: FlywheelStatus) -> Text:
    """Name what the live model was trained on and was taken back since."""
    named = _first_keys(status.live_trained_on_withdrawn)
    words = f"was trained on withdrawn rows: {named}. It stays live until another is promoted"
    return Text(words, "bold yellow")


def _first_keys(keys: Sequence[str]) -> str:
    named = ", ".join(shown(key, 80) for key in keys[:_TAINTS_SHOWN])
    more = len(keys) - _TAINTS_SHOWN
    return named + (f" and {more} more" if more > 0 else "")


def _next(status: FlywheelStatus) -> str:
    if status.row.pause is not None:
        return "not before it is resumed"
    if status.lacks:
        return "not yet: " + "; ".join(status.lacks)
    return "opens when this one is closed" if status.running else "opens now"


def _test_set(status: FlywheelStatus) -> Text:
    test_set = status.row.test_set
    if test_set is not None:
        words = f"version {test_set.version}: {number_of(test_set.documents, 'document')}, frozen"
        words += f", {number_of(test_set.looks, 'look')}, sha256 {test_set.sha256[:12]}"
        if status.row.freeze_asked_by:
            words += "; the draft is frozen with the next batch"
        elif status.staged_test:
            words += "; the draft waits for flywheel testset freeze"
        return Text(words)
    if status.staged_test:
        return Text("staged; frozen with the next batch")
    return Text("none: only a first model can go live. Upload one with --kind test", "yellow")


def _slots(status: FlywheelStatus) -> str:
    row = status.row
    return (
        f"{row.train_datasets} of {status.train_slots} TRAIN, "
        f"{row.test_datasets} of {status.test_slots} TEST"
    )


def _last(status: FlywheelStatus) -> Text:
    batch = status.last
    if batch is None or batch.outcome is None:
        return Text("none yet")
    text = Text.assemble((batch.outcome.value, OUTCOME_STYLES[batch.outcome]))
    text.append(f"  batch {batch.batch}, F1 {f1_words(status.verdict)}")
    if batch.error:
        text.append(f"; {batch.error}: {shown(batch.cause or '', 200)}")
    return text


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{shown(label, 40)} {count:,}" for label, count in ordered[:_LABELS_SHOWN])
    more = len(ordered) - _LABELS_SHOWN
    return f"{told} and {number_of(more, 'more label')}" if more > 0 else told

"""How a status looks to people: one table per flywheel, and of several flywheels one line each.

Decides looks and words; the facts are `console.flywheels.status`, `console.flywheels.live_model`
and `console.flywheels.rebuild_status`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from application.ledger.flywheel_rows import PauseReason
from console.flywheels.live_model import BATCHES_READ, ComparedModels, LiveModel
from console.flywheels.rebuild_status import RebuildStatus
from console.flywheels.status import FlywheelStatus
from console.record.history import model_name
from console.views.layout import first_of, plain_table, short_actor
from console.views.verdict import OUTCOME_STYLES, f1_words
from flywheel.evaluation.champions import Champion, ChampionSource
from flywheel.evaluation.verdict_view import number
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_BARRED_SHOWN = 3
_LABELS_SHOWN = 12
_TAINTS_SHOWN = 3
_NAME_WIDTH = 24
_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def status_view(
    environment: str, statuses: Sequence[FlywheelStatus], unconfirmed: Sequence[str]
) -> RenderableType:
    """Return the status of an environment's flywheels; of several first one line each."""
    parts: list[RenderableType] = []
    if len(statuses) > 1:
        parts += [_overview(statuses), Text()]
    for status in statuses:
        title = Text(f"{environment} / {status.row.name}", "bold")
        parts += [title, _table(environment, status), Text()]
    parts += [
        Text(f"{address} has not confirmed the subscription: it gets no notices.", "yellow")
        for address in unconfirmed
    ]
    return Group(*(parts if unconfirmed else parts[:-1]))


def age_words(age: timedelta) -> str:
    """Return a length of time in its largest unit.

    Examples
    --------
    >>> age_words(timedelta(days=3, hours=5)), age_words(timedelta(seconds=61))
    ('3 days', '1 minute')
    """
    for name, unit in _UNITS:
        if count := age // unit:
            return number_of(count, name)
    return "under a minute"


def _overview(statuses: Sequence[FlywheelStatus]) -> Table:
    table = plain_table()
    table.add_column("flywheel", no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    for title in ("now", "F1", "live for", "last verdict", "staged"):
        table.add_column(title, no_wrap=True)
    for status in statuses:
        live = status.live
        table.add_row(
            shown(status.row.name, 40),
            _now_at_a_glance(status),
            number(live.f1),
            "-" if live.age is None else age_words(live.age),
            Text("-") if live.compared is None else _decision(live.compared),
            f"{sum(status.staged_train.values()) + sum(status.staged_test.values()):,}",
        )
    return table


def _now_at_a_glance(status: FlywheelStatus) -> Text:
    if status.running is not None:
        return Text(status.running.phase, "cyan")
    if status.row.pause is not None:
        return Text("PAUSED", "bold red")
    return Text("tainted", "bold yellow") if status.row.taint else Text("idle")


def _table(environment: str, status: FlywheelStatus) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in _rows(environment, status):
        table.add_row(name, words)
    return table


def _rows(environment: str, status: FlywheelStatus) -> Iterator[tuple[str, Text | str]]:
    """Yield the rows that apply, each with its name."""
    row, compared = status.row, status.live.compared
    yield "active model", _active(status)
    if status.active_model is not None:
        yield "F1", _f1(status.live)
        yield "live for", _live_for(status.live)
    yield "now", _now(status)
    if status.approval is not None:
        place = f"{status.approval.batch} {status.approval.flywheel} --env {environment}"
        yield "waits for", _question(status, f"{place} --reason TEXT")
    if row.promotion_pause is not None:
        paused = ("PAUSED until flywheel resume", "bold yellow")
        yield "promotion", Text.assemble(paused, f"  {_by(row.promotion_pause)}")
    if status.rebuild is not None:
        yield "rebuild", _rebuild(f"{row.name} --env {environment}", status.rebuild)
    if row.taint:
        named = first_of(row.taint, _TAINTS_SHOWN)
        yield "tainted", Text(f"TAINTED: withdrawn, but in its datasets: {named}", "bold yellow")
    if status.live_trained_on_withdrawn:
        named = first_of(status.live_trained_on_withdrawn, _TAINTS_SHOWN)
        words = f"was trained on withdrawn rows: {named}. It stays live until another is promoted"
        yield "live model", Text(words, "bold yellow")
    yield from _batch_rows(status)
    yield "last outcome", _last_outcome(status)
    if compared is not None and (status.last is None or status.last.batch != compared.batch.batch):
        yield (
            "last verdict",
            Text.assemble(_decision(compared), f", F1 {f1_words(compared.stored)}"),
        )
    if row.barred:
        yield "barred", _barred(row.barred)
    yield "notices waiting", str(status.waiting_notices)
    yield "last reconciled", status.last_run["at"][:19] + "Z" if status.last_run else "not yet"


def _batch_rows(status: FlywheelStatus) -> Iterator[tuple[str, Text | str]]:
    """Yield what is staged, and what the next batch still lacks."""
    row = status.row
    yield "staged", _staged(status)
    if status.halves:
        yield "WAITING", Text("\n".join(shown(words, 200) for words in status.halves), "yellow")
    yield "next batch", _next_batch(status)
    if status.waits:
        yield "labels waiting", "\n".join(status.waits)
    yield "test set", _test_set(status)
    slots = f"{row.train_datasets} of {status.train_slots} TRAIN"
    yield "datasets used", f"{slots}, {row.test_datasets} of {status.test_slots} TEST"


def _active(status: FlywheelStatus) -> Text:
    name = model_name(status.active_model)
    flywheel = "" if status.flywheel_status == "ACTIVE" else f" (flywheel {status.flywheel_status})"
    return Text.assemble((name, "green" if status.active_model else "yellow"), flywheel)


def _f1(live: LiveModel) -> Text:
    if live.f1 is None:
        return Text(f"not measured in the last {BATCHES_READ} batches")
    return Text(f"{number(live.f1)}, measured by batch {live.measured_by}")


def _live_for(live: LiveModel) -> Text:
    champion, age = live.champion, live.age
    if champion is None or age is None:
        return Text("unknown: it was made active outside, and reconcile has not seen it yet")
    since = champion.at[:16].replace("T", " ")
    return Text(f"{age_words(age)}, since {since} UTC, {_made_by(champion)}")


def _made_by(champion: Champion) -> str:
    by = short_actor(champion.by)
    return {
        ChampionSource.VERDICT: f"by verdict {champion.batch}",
        ChampionSource.PROMOTE: f"promoted by {by}",
        ChampionSource.ROLLBACK: f"rolled back to by {by}",
        ChampionSource.OUTSIDE: "made active outside",
    }[champion.how]


def _now(status: FlywheelStatus) -> Text:
    running, pause = status.running, status.row.pause
    if running is None and pause is not None:
        return Text.assemble(("PAUSED", "bold red"), f"  {_by(pause, at=f', {pause.at[:16]}')}")
    if running is None:
        return Text("idle")
    text = Text.assemble((running.phase, "cyan"), f"  {running.words}")
    if running.execution is not None and running.execution != "RUNNING":
        text.append(f"  (workflow {running.execution})", "red")
    return text


def _by(pause: PauseReason, at: str = "") -> str:
    return f"by {short_actor(pause.by)}{at}: {shown(pause.reason, 200)}"


def _question(status: FlywheelStatus, place: str) -> Text:
    """Return what a person is asked, and the commands that answer it."""
    asked = status.approval
    if asked is None:
        return Text()
    return Text.assemble(
        ("a person", "bold yellow"),
        f", until {asked.until:%Y-%m-%d %H:%M} UTC; verdict {asked.batch} says PROMOTE\n"
        f"flywheel approve {place}\nflywheel reject {place}",
    )


def _rebuild(place: str, rebuild: RebuildStatus) -> Text:
    """Return where a rebuild is, what it waits for, and what people can do."""
    step = {
        "REQUESTED": "is about to be made",
        "CREATING": "is being made",
        "SWITCHED": "waits for its first model",
        "RETURNING": "was abandoned",
    }[rebuild.asked.step]
    text = Text.assemble(
        (
            f"generation {rebuild.generation} {'is live' if rebuild.is_promoted else step}",
            "bold yellow",
        ),
        f"\nreason: {shown(rebuild.asked.reason, 200)}\nwaits: {rebuild.waits_for}",
        *(f"\n{line}" for line in rebuild.todo),
    )
    if rebuild.is_promoted or rebuild.asked.step == "RETURNING":
        return text
    if not rebuild.is_blocking:
        text.append(f"\nagain:   flywheel rebuild {place} --reason TEXT")
    return text.append(f"\nabandon: flywheel rebuild {place} --abandon --reason TEXT")


def _staged(status: FlywheelStatus) -> str:
    staged = (("training", status.staged_train), ("test", status.staged_test))
    lines = [
        f"{sum(counts.values()):,} for {kind}: {_counts(counts)}"
        for kind, counts in staged
        if counts
    ]
    return "\n".join(lines) or "nothing"


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    names = [f"{shown(label, 40)} {count:,}" for label, count in ordered]
    return first_of(names, _LABELS_SHOWN, noun="label")


def _next_batch(status: FlywheelStatus) -> str:
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


def _last_outcome(status: FlywheelStatus) -> Text:
    batch = status.last
    if batch is None or batch.outcome is None:
        return Text("none yet")
    text = Text.assemble((batch.outcome.value, OUTCOME_STYLES[batch.outcome]))
    text.append(f"  batch {batch.batch}, F1 {f1_words(status.verdict)}")
    if batch.error:
        text.append(f"; {batch.error}: {shown(batch.cause or '', 200)}")
    return text


def _decision(compared: ComparedModels) -> Text:
    outcome = compared.batch.outcome
    style = OUTCOME_STYLES[outcome] if outcome is not None else ""
    decision = compared.stored.verdict.decision.value
    return Text.assemble((decision, style), f" batch {compared.batch.batch}")


def _barred(models: Sequence[str]) -> Text:
    """Name the models that no verdict promotes, since somebody rolled back from them."""
    names = [model_name(model) for model in models[-_BARRED_SHOWN:]]
    more = len(models) - len(names)
    others = [f"and {more} more"] if more else []
    lines = [*names, *others, "flywheel promote makes one active all the same"]
    return Text("\n".join(lines), "yellow")

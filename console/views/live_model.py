"""How the live model and several flywheels at a glance look to people.

Decides looks and words; the facts are `console.flywheels.live_model` and
`console.flywheels.status`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from console.flywheels.live_model import BATCHES_READ, ComparedModels, LiveModel
from console.views.principals import with_short_principals
from console.views.verdict import OUTCOME_STYLES, f1_words, model_name
from flywheel.evaluation.champions import Champion, ChampionSource
from flywheel.evaluation.verdict_view import number
from flywheel.notices.acts import shown_actor
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

if TYPE_CHECKING:
    from console.flywheels.status import FlywheelStatus

_BARRED_SHOWN = 3
_NAME_WIDTH = 24
_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def live_rows(status: "FlywheelStatus") -> list[tuple[str, Text]]:
    """Return the rows of a status about its live model; none where there is no model."""
    live = status.live
    if status.active_model is None:
        return []
    if live.f1 is None:
        f1 = f"not measured in the last {BATCHES_READ} batches"
    else:
        f1 = f"{number(live.f1)}, measured by batch {live.measured_by}"
    return [("F1", Text(f1)), ("live for", _live_for(live))]


def verdict_rows(status: "FlywheelStatus") -> list[tuple[str, Text]]:
    """Return the row of the last comparison, where the last outcome is another batch's."""
    compared, last = status.live.compared, status.last
    if compared is None or (last is not None and last.batch == compared.batch.batch):
        return []
    return [
        ("last verdict", Text.assemble(_decision(compared), f", F1 {f1_words(compared.stored)}"))
    ]


def barred_rows(status: "FlywheelStatus") -> list[tuple[str, Text]]:
    """Return the row of models that no verdict promotes, since somebody rolled back from them."""
    barred = status.row.barred
    if not barred:
        return []
    names = [model_name(model) for model in barred[-_BARRED_SHOWN:]]
    more = len(barred) - len(names)
    others = f"\nand {more} more" if more else ""
    words = "\n".join(names) + others + "\nflywheel promote makes one active all the same"
    return [("barred", Text(words, "yellow"))]


def status_table(statuses: "Sequence[FlywheelStatus]") -> Table:
    """Return several flywheels, one line each."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("flywheel", no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    for title in ("now", "F1", "live for", "last verdict", "staged"):
        table.add_column(title, no_wrap=True)
    for status in statuses:
        live = status.live
        table.add_row(
            shown(status.row.name, 40),
            _now(status),
            number(live.f1),
            "-" if live.age is None else age_words(live.age),
            Text("-") if live.compared is None else _decision(live.compared),
            f"{sum(status.staged_train.values()) + sum(status.staged_test.values()):,}",
        )
    return table


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


def _now(status: "FlywheelStatus") -> Text:
    if status.running is not None:
        return Text(status.running.phase, "cyan")
    if status.row.pause is not None:
        return Text("PAUSED", "bold red")
    return Text("tainted", "bold yellow") if status.row.taint else Text("idle")


def _decision(compared: ComparedModels) -> Text:
    outcome = compared.batch.outcome
    style = OUTCOME_STYLES[outcome] if outcome is not None else ""
    decision = compared.stored.verdict.decision.value
    return Text.assemble((decision, style), f" batch {compared.batch.batch}")


def _live_for(live: LiveModel) -> Text:
    champion, age = live.champion, live.age
    if champion is None or age is None:
        return Text("unknown: it was made active outside, and reconcile has not seen it yet")
    since = champion.at[:16].replace("T", " ")
    return Text(f"{age_words(age)}, since {since} UTC, {_made_by(champion)}")


def _made_by(champion: Champion) -> str:
    by = shown_actor(with_short_principals(champion.by), 100)
    return {
        ChampionSource.VERDICT: f"by verdict {champion.batch}",
        ChampionSource.PROMOTE: f"promoted by {by}",
        ChampionSource.ROLLBACK: f"rolled back to by {by}",
        ChampionSource.OUTSIDE: "made active outside",
    }[champion.how]

"""What status says of the live model: its F1 and age, the last comparison, barred models."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow, PauseReason
from console.flywheels.live_model import (
    LiveModel,
    comparison_document,
    facts_of_model,
    live_document,
)
from console.flywheels.status import FlywheelStatus
from console.views.status import age_words, status_view
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.evaluation.champions import Champion, ChampionSource
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.verdict import decide
from flywheel.settings.policy import METRICS, Policy

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Judged = tuple[BatchRow, StoredVerdict | None]


def model(version: int) -> str:
    """Return a model's ARN."""
    return f"arn:aws:comprehend:eu-west-1:123456789012:document-classifier/m/version/{version}"


def judged(
    number: int,
    outcome: BatchOutcome,
    champion: tuple[int, float] | None,
    challenger: tuple[int, float],
) -> Judged:
    """Return a closed batch and its verdict on models with these F1."""
    averages = [dict.fromkeys(map(str, METRICS), f1) for _, f1 in filter(None, (champion,))]
    evidence = Evidence(
        model(champion[0]) if champion else None,
        averages[0] if averages else None,
        model(challenger[0]),
        dict.fromkeys(map(str, METRICS), challenger[1]),
        has_test_set=True,
    )
    batch = BatchRow("tickets", number, BatchState.CLOSED, 1, "2026-03-01", 1, outcome=outcome)
    return batch, StoredVerdict(decide(evidence, Policy()), None, outcome)


def unjudged(number: int, outcome: BatchOutcome) -> Judged:
    """Return a closed batch without a verdict."""
    return (
        BatchRow("tickets", number, BatchState.CLOSED, 1, "2026-03-01", 1, outcome=outcome),
        None,
    )


FIRST = judged(1, BatchOutcome.PROMOTED, None, (1, 0.7))
BETTER = judged(2, BatchOutcome.PROMOTED, (1, 0.71), (2, 0.8))
WORSE = judged(3, BatchOutcome.REJECTED, (2, 0.79), (3, 0.6))
FAILED = unjudged(4, BatchOutcome.FAILED)
EMPTY = unjudged(5, BatchOutcome.EMPTY)
HISTORY = [
    Champion(
        1, model(1), ChampionSource.VERDICT, "compare_models", "2026-03-01T00:00:00+00:00", batch=1
    ),
    Champion(
        2, model(2), ChampionSource.VERDICT, "compare_models", "2026-03-07T06:30:00+00:00", batch=2
    ),
]


def status(live: LiveModel, row: FlywheelRow, last: Judged | None = None) -> FlywheelStatus:
    """Return the status of an idle flywheel."""
    return FlywheelStatus(
        row=row,
        flywheel_status="ACTIVE",
        active_model=live.champion.model if live.champion else None,
        running=None,
        staged_train={"A": 3},
        staged_test={"A": 1},
        lacks=("no training documents are staged",),
        waits=(),
        train_slots=50,
        test_slots=10,
        last=last[0] if last else None,
        verdict=last[1] if last else None,
        waiting_notices=0,
        live=live,
    )


def printed(*statuses: FlywheelStatus) -> list[str]:
    """Return what people see, in 80 columns."""
    out = Console(file=io.StringIO(), width=80)
    out.print(status_view("prod", statuses, ()))
    text: str = out.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO from above
    return [line.rstrip() for line in text.splitlines()]


def test_the_newest_measure_counts_when_a_model_was_measured_twice() -> None:
    """As a champion it was measured again, on the test set as it is now."""
    live = facts_of_model(model(2), [EMPTY, FAILED, WORSE, BETTER, FIRST], HISTORY, NOW)
    assert (live.f1, live.measured_by) == (0.79, 3)
    assert live.age == timedelta(days=3, hours=5, minutes=30)
    assert comparison_document(live.compared) == {
        "batch": 3,
        "verdict": "REJECT",
        "outcome": "REJECTED",
        "closed_at": None,
        "champion_f1": 0.79,
        "challenger_f1": 0.6,
    }
    assert live_document(live)["age_seconds"] == 279_000


def test_the_challengers_measure_counts_when_it_has_just_gone_live() -> None:
    """The verdict that promoted it is the one that measured it."""
    live = facts_of_model(model(2), [BETTER, FIRST], HISTORY, NOW)
    assert (live.f1, live.measured_by) == (0.8, 2)


def test_a_first_model_is_no_comparison_when_it_goes_live() -> None:
    """Its F1 is known, and no two models were compared."""
    live = facts_of_model(model(1), [FIRST], HISTORY[:1], NOW)
    assert (live.f1, live.compared) == (0.7, None)


def test_no_more_verdicts_are_read_when_everything_is_known() -> None:
    """A verdict is a read of the ledger each."""

    def entries() -> Iterator[Judged]:
        yield WORSE
        pytest.fail("the next verdict was read")

    assert facts_of_model(model(2), entries(), HISTORY, NOW).f1 == 0.79


def test_the_age_is_unknown_when_somebody_else_changed_the_model() -> None:
    """The ledger's last champion is another until reconcile has seen it."""
    live = facts_of_model(model(9), [WORSE, BETTER], HISTORY, NOW)
    assert (live.f1, live.age) == (None, None)
    assert live.compared is not None
    assert live_document(live)["since"] is None


def test_facts_are_alike_when_only_time_has_passed() -> None:
    """Else a watched status would be shown anew at each look."""
    first, later = (
        facts_of_model(model(2), [WORSE, BETTER], HISTORY, now) for now in (NOW, NOW + timedelta(1))
    )
    assert first == later


def test_people_see_f1_and_age_when_a_model_is_live() -> None:
    """And the last comparison, where the newest batch compared nothing."""
    live = facts_of_model(model(2), [EMPTY, WORSE, BETTER], HISTORY, NOW)
    shown = printed(status(live, FlywheelRow("tickets", "arn"), EMPTY))
    lines = [" ".join(line.split()) for line in shown]
    assert "F1 0.790, measured by batch 3" in lines
    assert "live for 3 days, since 2026-03-07 06:30 UTC, by verdict 2" in lines
    assert "last outcome EMPTY batch 5, F1 -" in lines
    assert "last verdict REJECT batch 3, F1 0.790 -> 0.600 (-0.190)" in lines


def test_a_verdict_is_shown_once_when_it_is_the_last_outcome() -> None:
    """The line of the last outcome has the same facts."""
    live = facts_of_model(model(2), [WORSE, BETTER], HISTORY, NOW)
    lines = printed(status(live, FlywheelRow("tickets", "arn"), WORSE))
    assert not [line for line in lines if "last verdict" in line]
    assert not [line for line in lines if "barred" in line]


def test_barred_models_are_named_when_somebody_rolled_back() -> None:
    """The newest, by the name that the active model has in the same view."""
    live = facts_of_model(model(2), [WORSE, BETTER], HISTORY, NOW)
    row = FlywheelRow("tickets", "arn", barred=tuple(map(model, range(3, 8))))
    text = " ".join("\n".join(printed(status(live, row, WORSE))).split())
    assert "barred m/version/5 m/version/6 m/version/7 and 2 more" in text
    assert "m/version/4" not in text


def test_each_flywheel_has_one_line_first_when_there_are_several() -> None:
    """Columns fit into 80, and what needs a person is in the line."""
    live = facts_of_model(model(2), [WORSE, BETTER], HISTORY, NOW)
    none = facts_of_model(None, [], [], NOW)
    paused = FlywheelRow("x" * 40, "arn", pause=PauseReason("ann", "wrong data", "2026-03-01"))
    lines = printed(
        status(live, FlywheelRow("tickets", "arn"), WORSE),
        status(none, paused),
        status(none, FlywheelRow("topics", "arn", taint=("a.csv",))),
    )
    assert [line.split() for line in lines[:2]] == [
        ["flywheel", "now", "F1", "live", "for", "last", "verdict", "staged"],
        ["tickets", "idle", "0.790", "3", "days", "REJECT", "batch", "3", "4"],
    ]
    assert lines[2].split()[1:3] == ["PAUSED", "-"]
    assert lines[3].split()[:2] == ["topics", "tainted"]
    assert lines[5] == "prod / tickets"
    assert max(map(len, lines)) <= 80
    assert printed(status(none, FlywheelRow("topics", "arn")))[0] == "prod / topics"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(0), "under a minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=1, hours=23), "1 day"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit_when_it_is_shown(age: timedelta, words: str) -> None:
    """Nobody needs the minutes of a model that is live for weeks."""
    assert age_words(age) == words

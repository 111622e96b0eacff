import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flywheel.batches.batches import BatchOutcome
from flywheel.batches.sealing import IN_TEST_SET, TRAINED_ON, Selection
from flywheel.evaluation.champions import NotCarriedOutReason
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.paired_evidence import LabelChange, PairedEvidence
from flywheel.evaluation.verdict import Verdict, decide
from flywheel.evaluation.verdict_view import VerdictView
from flywheel.notices.batches import LEFT_OUT, BatchFacts, failed, rejudging, started
from flywheel.notices.notice import Notice
from flywheel.notices.verdicts import judged
from flywheel.notices.what_changed import metric_table
from flywheel.settings.policy import Policy

ARN = "arn:aws:comprehend:eu-west-1:123456789012"
OLD, NEW = f"{ARN}:document-classifier/prod-tickets-g1/version/old", f"{ARN}:new"
FACTS = BatchFacts(
    environment="prod",
    flywheel="tickets",
    batch=3,
    flywheel_arn=f"{ARN}:flywheel/prod-tickets-g1",
    uploads=["tickets/train/monday.csv", "tickets/train/tuesday.csv"],
    live_model=OLD,
    iteration_id="20240517T120000Z",
)
CHAMPION = {
    "AverageF1Score": 0.861,
    "AveragePrecision": 0.87,
    "AverageRecall": 0.853,
    "AverageAccuracy": 0.88,
}
CHALLENGER = {**CHAMPION, "AverageF1Score": 0.884, "AverageRecall": 0.9, "AverageAccuracy": 0.879}


def verdict(**changes: Any) -> Verdict:
    """Return the default policy's verdict on a better challenger, with changes."""
    known: dict[str, Any] = {
        "champion_arn": OLD,
        "champion": CHAMPION,
        "challenger_arn": NEW,
        "challenger": CHALLENGER,
        "has_test_set": True,
    }
    return decide(Evidence(**{**known, **changes}), Policy(evidence="none"))


def start(facts: BatchFacts = FACTS, **changes: Any) -> Notice:
    """Return the notice of a batch that started, with changes."""
    known: dict[str, Any] = {
        "documents": 1234,
        "label_counts": {"SHIPPING": 34, "BILLING": 1200},
        "left_out": {},
        "waiting_labels": [],
        "has_test_set": True,
        "past_seconds": [],
    }
    return started(facts, **{**known, **changes})


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "started_first"),
        (
            {
                "left_out": {"exact duplicates": 1200, "rows of the test set": 3},
                "waiting_labels": ["FEEDBACK", "RETURNS"],
                "past_seconds": [3000.0, 4200.0],
            },
            "started_with_past",
        ),
        ({"has_test_set": False}, "started_without_test_set"),
        (
            {"label_counts": {f"LABEL_{number:02}": number for number in range(1, 24)}},
            "started_many_labels",
        ),
    ],
)
def test_a_start_is_told_before_money_is_spent_when_a_batch_is_sealed(
    changes: dict[str, Any], name: str, same_as_golden: Callable[[Notice, str], None]
) -> None:
    """What is in the batch, what was left out, what it may cost, and what is missing."""
    same_as_golden(start(**changes), name)


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (1, "Left out: 1 row that the flywheel holds already."),
        (2, "Left out: 2 rows that the flywheel holds already."),
    ],
)
def test_rows_are_counted_in_the_right_number_when_they_were_left_out(
    count: int, line: str
) -> None:
    """One row is singular; a batch often repeats a single one."""
    left_out = {"rows that the flywheel holds already": count}
    assert line in start(left_out=left_out).body


def test_every_reason_has_words_when_rows_are_left_out() -> None:
    """No reason of a selection reaches people without its words."""
    selections = [
        Selection(forbidden_words=words, duplicates=1, held_already=1, conflicts=1, forbidden=1)
        for words in (IN_TEST_SET, TRAINED_ON)
    ]
    assert {reason for each in selections for reason in each.left_out()} == LEFT_OUT.keys()


BOOTSTRAP = {"champion_arn": None, "champion": None}


@pytest.mark.parametrize(
    ("changes", "outcome", "live", "kept", "name"),
    [
        ({}, BatchOutcome.PROMOTED, NEW, None, "promoted"),
        (BOOTSTRAP, BatchOutcome.PROMOTED, NEW, None, "promoted_bootstrap"),
        ({"challenger": {"AverageF1Score": 0.84}}, BatchOutcome.REJECTED, OLD, None, "rejected"),
        (
            {**BOOTSTRAP, "challenger": {"AverageF1Score": 0.3}},
            BatchOutcome.REJECTED,
            None,
            None,
            "rejected_bootstrap",
        ),
        ({"has_test_set": False}, BatchOutcome.HELD, OLD, None, "held_without_test_set"),
        ({"challenger": {}}, BatchOutcome.HELD, OLD, None, "held_without_numbers"),
        (
            {"challenger": {"AverageF1Score": math.nan}, "challenger_arn": None},
            BatchOutcome.HELD,
            OLD,
            None,
            "held_without_model",
        ),
        (
            {},
            BatchOutcome.HELD,
            f"{ARN}:somebody-elses",
            NotCarriedOutReason.CHAMPION_CHANGED,
            "held_champion_changed",
        ),
        ({}, BatchOutcome.SHADOW, OLD, NotCarriedOutReason.SHADOW, "shadow"),
        ({}, BatchOutcome.HELD, OLD, NotCarriedOutReason.BARRED, "held_barred"),
        ({}, BatchOutcome.HELD, OLD, NotCarriedOutReason.UNANSWERED, "held_unanswered"),
    ],
)
def test_a_verdict_is_told_when_it_was_acted_on(
    *,
    changes: dict[str, Any],
    outcome: BatchOutcome,
    live: str | None,
    kept: NotCarriedOutReason | None,
    name: str,
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """What is live, why, what to do, the table, one command and the ids, in this order."""
    facts = replace(FACTS, live_model=live)
    notice = judged(facts, verdict(**changes), outcome, kept=kept)
    same_as_golden(notice, name)


@pytest.mark.parametrize(
    ("challenger_f1", "facts", "likely", "is_withdrawal_offered"),
    [
        (0.861, FACTS, "Likely: no gain", False),
        (0.860, FACTS, "Likely: no gain", False),
        (0.840, FACTS, "Likely: the new rows make it worse.", True),
        (
            0.840,
            replace(FACTS, label_counts={"A": 90, "B": 10}, earlier_counts={"A": 10, "B": 90}),
            "they differ much from the rest",
            True,
        ),
        (0.861, replace(FACTS, is_rebuilt=True), "and is no better this time.", False),
        (0.700, replace(FACTS, is_rebuilt=True), "and is worse this time.", False),
    ],
)
def test_data_is_taken_back_only_when_the_new_model_is_worse(
    challenger_f1: float, facts: BatchFacts, likely: str, *, is_withdrawal_offered: bool
) -> None:
    """A tie says nothing against the rows; a rebuild's own batch holds all of them."""
    challenger = {**CHAMPION, "AverageF1Score": challenger_f1}
    notice = judged(facts, verdict(challenger=challenger), BatchOutcome.REJECTED)
    body = " ".join(notice.body.split())
    assert likely in body
    assert ("flywheel withdraw" in body) is is_withdrawal_offered


def test_labels_are_named_when_models_answers_show_where_it_is_worse() -> None:
    """Largest loss first; labels that hardly changed are not named."""
    changes = (
        LabelChange("BILLING", 40, 0.9, 0.5),
        LabelChange("RETURNS", 40, 0.9, 0.85),
        LabelChange("SHIPPING", 40, 0.9, 0.899),
    )
    paired = PairedEvidence("0", 120, 3, 20, 23, (), (), (), changes, 1, ())
    rejected = verdict(challenger={**CHAMPION, "AverageF1Score": 0.7})
    rejected = replace(rejected, evidence=replace(rejected.evidence, paired=paired))
    notice = judged(FACTS, rejected, BatchOutcome.REJECTED)
    assert "most of all on 'BILLING', 'RETURNS'." in " ".join(notice.body.split())


@pytest.mark.parametrize(
    ("challenger", "outcome", "live"),
    [
        (CHALLENGER, BatchOutcome.PROMOTED, NEW),
        ({"AverageF1Score": 0.84}, BatchOutcome.REJECTED, OLD),
        ({}, BatchOutcome.HELD, OLD),
    ],
)
def test_the_labels_that_changed_are_listed_when_their_values_are_known(
    *,
    challenger: dict[str, float],
    outcome: BatchOutcome,
    live: str,
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """Those that got worse, then those that got better; a hostile label makes no link or line."""
    labels = (
        LabelChange("http://evil.example/\nLive now: evil", 40, 0.9, 0.5),
        LabelChange("<!channel> RETURNS", 40, 0.9, 0.85),
        LabelChange("Live now: evil", 40, 0.9, 0.855),
        LabelChange("REFUND", 1200, 0.9, 0.86),
        LabelChange("CLAIM", 25, 0.9, 0.87),
        LabelChange("SHIPPING", 40, 0.9, 0.899),
        LabelChange("BILLING", 400, 0.7, 0.8),
    )
    paired = PairedEvidence("0", 1745, 50, 20, 90, (), (), (), labels, 1, ())
    decided = verdict(challenger=challenger, paired=paired)
    notice = judged(replace(FACTS, live_model=live), decided, outcome)
    same_as_golden(notice, f"{outcome.value.lower()}_with_labels")
    assert "://" not in notice.body
    assert [line for line in notice.body.split("\n") if line.startswith("Live now:")] == [
        f"Live now: {live}"
    ]


def test_the_way_out_is_told_when_more_test_rows_would_end_a_hold(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """Two steps, by which both models are judged again without training."""
    held = judged(FACTS, verdict(challenger={}), BatchOutcome.HELD, can_be_judged_again=True)
    same_as_golden(held, "held_until_judged_again")


def test_a_second_judgement_is_told_before_money_is_spent(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """How the test set grows, whose models answer it, and what that costs."""
    facts = replace(FACTS, batch=8, uploads=["tickets/test/more.csv"])
    facts = replace(facts, upload_count=1, test_upload_count=1)
    left_out = {"exact duplicates": 3}
    notice = rejudging(facts, 7, documents=280, before=30, left_out=left_out)
    same_as_golden(notice, "started_judging_again")


@pytest.mark.parametrize(
    ("error", "cause", "is_still_running", "name"),
    [
        ("DatasetFailed", "The file has 3 columns.", False, "failed_dataset"),
        (
            "IterationDeadlineExceeded",
            "The iteration still runs after iteration_deadline_hours.",
            True,
            "failed_still_running",
        ),
        (
            "States.TaskFailed",
            "\u202eevil\nLive now: http://x.example/" + "y" * 3000,
            False,
            "failed_hostile_cause",
        ),
    ],
)
def test_a_failure_is_told_when_a_batch_ends_without_a_verdict(
    error: str,
    cause: str,
    is_still_running: bool,
    name: str,
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """The error, its cause, and that somebody must act."""
    facts = replace(FACTS, iteration_id=None)
    same_as_golden(failed(facts, error, cause, is_still_running=is_still_running), name)


def test_nothing_gets_through_when_names_and_labels_are_hostile(
    same_as_golden: Callable[[Notice, str], None],
) -> None:
    """No name of a file or a label makes a line, a link or a wall of its own."""
    evil = "http://evil.example/\u202egnp\nLive now: evil" + "x" * 300
    facts = replace(FACTS, uploads=[f"tickets/train/{evil}"] * 6)
    notice = start(facts, label_counts={evil: 10, "BILLING": 5}, waiting_labels=[evil])
    same_as_golden(notice, "hostile_batch")
    assert "://" not in notice.body
    assert "\u202e" not in notice.body
    assert [line for line in notice.body.split("\n") if line.startswith("Live now:")] == [
        f"Live now: {OLD}"
    ]


def test_the_table_has_dashes_when_numbers_are_missing() -> None:
    """What was not measured is a dash, and no change is made up from it."""
    table = metric_table(VerdictView(verdict(champion={}, challenger={"AverageF1Score": 0.5})))
    assert [line.split() for line in table] == [
        ["champion", "challenger", "change"],
        ["F1", "-", "0.500", "-"],
        ["Precision", "-", "-", "-"],
        ["Recall", "-", "-", "-"],
        ["Accuracy", "-", "-", "-"],
    ]


def test_a_notice_has_the_same_identity_when_it_is_made_again() -> None:
    """A repeat of the same event can be recognised, and each event has its own."""
    again = [start().id, start().id, judged(FACTS, verdict(), BatchOutcome.PROMOTED).id]
    again.append(failed(FACTS, "E", "c", is_still_running=False).id)
    assert again == [
        "tickets-batch-3-started",
        "tickets-batch-3-started",
        "tickets-batch-3-verdict",
        "tickets-batch-3-failed",
    ]


def test_the_taint_is_told_when_the_flywheel_has_one() -> None:
    """In every notice of a batch, until the flywheel is rebuilt."""
    facts = replace(FACTS, taint=["tickets/train/wrong.csv"])
    notice = failed(facts, "E", "c", is_still_running=False)
    assert "TAINTED: its datasets hold rows that were withdrawn (wrong.csv)" in " ".join(
        notice.body.split()
    )


@pytest.mark.parametrize(
    ("uploads", "count", "words"),
    [
        (
            ["tickets/train/first.csv", "tickets/test/test.csv"],
            2,
            "300 training documents from 1 file (first.csv), and 60 test documents from 1 file "
            "(test.csv).",
        ),
        (
            [f"tickets/train/{number}.csv" for number in range(20)],
            31,
            "300 training documents from 30 files (0.csv, 1.csv, 2.csv, 3.csv, 4.csv, ...), and 60 "
            "test documents from 1 file.",
        ),
    ],
)
def test_each_lane_names_its_own_files_when_a_batch_brings_a_test_set(
    uploads: list[str], count: int, words: str
) -> None:
    """A test file is none that is trained on; of many uploads the last ones have no name."""
    facts = replace(FACTS, uploads=uploads, upload_count=count, test_upload_count=1)
    notice = start(facts, documents=300, test_documents=60)
    assert f"Batch 3 is sealed: {words}" in " ".join(notice.body.split())


@pytest.mark.parametrize("is_tainted", [True, False])
def test_a_rejected_rebuild_says_so_when_the_way_back_leads_to_a_tainted_flywheel(
    *, is_tainted: bool
) -> None:
    """Whoever gives it up knows what they go back to."""
    facts = replace(FACTS, is_rebuilt=True, is_return_tainted=is_tainted)
    worse = {**CHALLENGER, "AverageF1Score": 0.7}
    body = " ".join(judged(facts, verdict(challenger=worse), BatchOutcome.REJECTED).body.split())
    back = "goes back to the earlier flywheel"
    tainted = f"{back}, which is TAINTED: its datasets hold rows that were withdrawn."
    assert (tainted if is_tainted else f"{back}.") in body


def test_a_rejudged_batch_names_its_test_files() -> None:
    """It trains on none."""
    facts = replace(
        FACTS, uploads=["tickets/test/a.csv", "tickets/test/b.csv"], test_upload_count=2
    )
    notice = rejudging(facts, 2, documents=1, before=30, left_out={})
    words = "1 new test document from 2 files (a.csv, b.csv): the test set grows from 30 to 31."
    assert words in " ".join(notice.body.split())

"""The acts that data can show, for every shape of it, and what is left out after each ending."""

import itertools

import pytest

from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow, PauseReason
from console.demo.acts import ActEnding, DemoAct, acts, why_left_out
from console.demo.data import DemoData, own_data
from console.demo.few_documents import FewDocuments
from console.demo.tasks import Row, csv_bytes
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.verdict import Decision, decide
from flywheel.settings.policy import METRICS, Policy

POLICY = Policy(evidence="paired")
ROW = FlywheelRow("tickets", "arn:aws:comprehend:us-east-1:123456789012:flywheel/tickets")


def rows(name: str = "", **counts: int) -> list[Row]:
    """Make so many rows of each label."""
    return [(label, f"{name} {label} {n}") for label, count in counts.items() for n in range(count)]


def many(labels: int, each: int, name: str = "") -> list[Row]:
    """Make rows of numbered labels."""
    return rows(name, **{f"L{number:03}": each for number in range(labels)})


SHAPES: dict[str, tuple[list[Row], list[Row] | None, bool]] = {
    "two labels, 6,920 and 1,821": (
        rows(A=3460, B=3460),
        rows("test", A=911, B=910),
        True,
    ),
    "one rare label": (rows(A=400, B=400, RARE=1), None, True),
    "a label that is only tested": (rows(A=300, B=300), rows("test", A=90, B=90, NEVER=1), True),
    "150 labels": (many(150, 60), many(150, 16, "test"), True),
    "150 labels, few rows each": (many(150, 12), many(150, 3, "test"), False),
    "200 rows": (rows(A=100, B=60, C=40), None, True),
    "20 rows": (rows(A=10, B=10), None, False),
    "100,000 rows": (many(5, 20_000), many(5, 1_000, "test"), True),
    "skewed": (rows(A=2900, B=90), rows("test", A=480, B=16), True),
    "every text six times": (rows(A=80, B=80) * 6, None, False),
    "12 test rows": (rows(A=300, B=300), rows("test", A=6, B=6), False),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name == "100,000 rows" else [])
        for name in SHAPES
    ],
)
def shaped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DemoData, bool]:
    """Read rows of a shape as a user's own, and say whether they carry few test documents."""
    train, test, has_few = SHAPES[request.param]
    folder = tmp_path_factory.mktemp("data")
    (folder / "train.csv").write_bytes(csv_bytes(train))
    if test is not None:
        (folder / "test.csv").write_bytes(csv_bytes(test))
    return own_data(folder), has_few


def test_every_act_has_rows_when_the_loop_takes_the_data(shaped: tuple[DemoData, bool]) -> None:
    """No file is empty, no text trains and tests, and an act without rows is left out aloud."""
    data, has_few = shaped
    parts = acts(data)
    assert [act.title.partition(". ")[2] for act in parts if act.flywheel == data.flywheel] == [
        "A first model",
        "More data",
        "Mislabeled data",
        "Taking it back",
        "A broken file",
    ]
    for act in parts:
        assert all(body for files in (*act.train, act.test) for _, body in files)
    tested = {text for _, text in data.parts.test}
    trained = [text for _, text in (*data.parts.first, *data.parts.more, *data.parts.mislabeled)]
    assert not tested & set(trained)
    assert (data.few is not None) is has_few
    if data.few is not None:
        check_few(data.few)
    remarks = " ".join(data.remarks)
    assert ("few test documents is left out" in remarks) is not has_few
    has_more = any("More test documents" in act.title for act in parts)
    assert ("more test documents is left out" in remarks) is (has_few and not has_more)
    assert ("Fewer than 30 test documents" in remarks) is (len(data.parts.test) < 30)


def check_few(few: FewDocuments) -> None:
    """Check that the first file has two labels, the next one alone, and each label is tested."""
    assert len({label for label, _ in few.first}) >= 2
    assert {label for label, _ in few.more} == {few.scarce}
    assert {label for label, _ in few.test} == set(few.labels)
    texts = [text for _, text in (*few.test, *few.first, *few.more, *few.later_test)]
    assert len(texts) == len(set(texts))


def verdict(*, f1: float, has_test_set: bool = True) -> StoredVerdict:
    """Judge a challenger against a champion of 0.7 by averages that prove nothing alone."""
    old, new = (dict.fromkeys(map(str, METRICS), value) for value in (0.7, f1))
    evidence = Evidence("arn:champion", old, "arn:challenger", new, has_test_set)
    return StoredVerdict(decide(evidence, POLICY), "arn:champion", None)


def ending(outcome: BatchOutcome, stored: StoredVerdict | None) -> ActEnding:
    """Return the ending of an act whose batch is closed."""
    batch = BatchRow("tickets", 2, BatchState.CLOSED, 1, "2026-01-01", 1, outcome=outcome)
    return ActEnding("before", batch, stored)


TAKES_BACK = DemoAct("Taking it back", "", "tickets")
JUDGES_AGAIN = DemoAct("More test documents", "", "tickets", test=(("later.csv", b"A,a text\n"),))
UPLOADS = DemoAct("More data", "", "tickets", ((("more.csv", b"A,a text\n"),),))


def test_every_act_is_played_when_the_model_before_was_held() -> None:
    """Nothing is in the way of the story that the demonstration is there for."""
    held = verdict(f1=0.8)
    assert held.verdict.decision is Decision.HOLD
    for act in (UPLOADS, TAKES_BACK, JUDGES_AGAIN):
        assert why_left_out(act, ending(BatchOutcome.HELD, held), ROW, POLICY) is None


@pytest.mark.parametrize("outcome", [BatchOutcome.REJECTED, BatchOutcome.PROMOTED])
def test_nothing_is_judged_again_when_the_model_was_not_held(outcome: BatchOutcome) -> None:
    """More test documents decide on a held model alone; taking back works after any verdict."""
    before = ending(outcome, verdict(f1=0.6))
    reason = why_left_out(JUDGES_AGAIN, before, ROW, POLICY)
    assert reason == f"the model was {outcome}, and more test documents decide on a held one"
    assert why_left_out(TAKES_BACK, before, ROW, POLICY) is None


def test_nothing_is_judged_again_when_answers_cannot_end_the_hold() -> None:
    """A policy that asks for no paired evidence has no answers to compare."""
    held = ending(BatchOutcome.HELD, verdict(f1=0.8))
    assert why_left_out(JUDGES_AGAIN, held, ROW, Policy(evidence="averages"))


@pytest.mark.parametrize(
    "before",
    [
        None,
        ActEnding("before", left_out="no batch opens"),
        ending(BatchOutcome.FAILED, None),
        ending(BatchOutcome.EMPTY, None),
    ],
    ids=["first", "left out", "failed", "empty"],
)
def test_nothing_is_taken_back_or_judged_when_nothing_was_trained(before: ActEnding | None) -> None:
    """What the act before did not do cannot be undone or judged."""
    assert why_left_out(TAKES_BACK, before, ROW, POLICY)
    assert why_left_out(JUDGES_AGAIN, before, ROW, POLICY)


def test_acts_are_left_out_when_the_flywheel_is_paused() -> None:
    """Two failed batches pause it, and no batch opens until somebody resumes it."""
    paused = FlywheelRow(
        ROW.name, ROW.arn, pause=PauseReason("flywheel", "two failed", "2026-01-01")
    )
    for act, outcome in itertools.product((UPLOADS, TAKES_BACK), BatchOutcome):
        reason = why_left_out(act, ending(outcome, verdict(f1=0.8)), paused, POLICY)
        assert reason == "tickets is paused: two failed"

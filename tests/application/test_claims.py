"""Who may change the champion, on a real client: a claim ends with its batch, however that ends."""

from collections.abc import Callable

import pytest

from adapters.table import Table
from flywheel.errors import ConcurrentChangeError
from flywheel.evaluation.verdict import Verdict
from tests.application.conditional_writes.story import Story, promoted, rejected
from tests.application.conditional_writes.watched_rows import WatchedRows


@pytest.fixture
def story(table: Table) -> Story:
    """Have a flywheel without a batch."""
    return Story(WatchedRows(table))


def fail(story: Story) -> None:
    """Let the open batch fail."""
    story.fail(story.batch())


def judge(story: Story) -> None:
    """Let the open batch's verdict be carried out."""
    story.store(story.batch(), promoted())
    story.judge(story.batch())


def retry_and_fail(story: Story) -> None:
    """Let the open batch fail, and its next attempt claim the champion and fail too."""
    again = story.start(story.reopened(story.fail(story.batch()), is_sealed=True))
    story.ledger.champions.claim(story.row, again)
    assert story.row.promoting == "1-2"
    story.fail(again)


@pytest.mark.parametrize("end", [fail, judge, retry_and_fail])
def test_a_person_may_change_the_champion_when_the_claiming_batch_is_over(
    story: Story, end: Callable[[Story], None]
) -> None:
    """A claim that stayed behind would refuse every rollback from then on."""
    story.ledger.champions.claim(story.row, story.started())
    assert story.row.promoting == "1"
    with pytest.raises(ConcurrentChangeError):
        story.changed("rollback")
    end(story)
    assert story.row.promoting is None
    story.changed("rollback", "m/7")
    assert story.row.expected_champion == "m/7"


def test_a_claim_is_repeated_when_its_writer_had_died(story: Story) -> None:
    """The same attempt may claim again; a person's change is not in its way."""
    batch = story.started()
    for _ in range(2):
        story.ledger.champions.claim(story.row, batch)
    assert story.row.promoting == "1"


@pytest.mark.parametrize(("verdict", "counted"), [(promoted(), 1), (rejected(), 0)])
def test_a_verdict_is_counted_when_it_promotes(
    story: Story, verdict: Verdict, counted: int
) -> None:
    """Once a verdict, by which the first ones are asked about."""
    for number in (1, 2):
        batch = story.started()
        story.store(batch, verdict)
        story.fail(batch)
        assert story.row.promote_verdicts == number * counted

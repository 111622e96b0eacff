"""How often a test set was looked at, in the ledger on a real client: what counts, what wears off.

Sets are frozen as batches bring rows; a look is a stored verdict on a challenger.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from application.ledger.audit import FIRST_SHA256
from application.ledger.batch_rows import BatchFailure, BatchRow, SealedFacts
from application.ledger.flywheel_rows import FlywheelRow, RebuildState, change_flywheel
from application.ledger.ledger import Ledger
from flywheel.batches.batches import StagedUpload
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.verdict import decide
from flywheel.evaluation.verdict_document import IterationNumbers, VerdictFacts, VerdictInputs
from flywheel.notices.notice import Notice
from flywheel.settings.policy import Policy

NAME = "tickets"
NOTICE = Notice("n", "subject", "body")


@dataclass(slots=True)
class Story:
    """One flywheel whose test set grows and is looked at.

    Parameters
    ----------
    ledger : Ledger
    now : datetime
    """

    ledger: Ledger
    now: datetime
    looked: int = 0

    @property
    def row(self) -> FlywheelRow:
        """The flywheel as the ledger has it."""
        return self.ledger.flywheels.ensure(NAME, "arn")

    @property
    def looks(self) -> tuple[int, int]:
        """Looks at the test set, and those of the generation."""
        test_set = self.row.test_set
        return test_set.looks if test_set else 0, self.row.generation_looks

    def sealed(self, documents: int, rejudges: int | None = None) -> BatchRow:
        """Seal a batch that brings test rows."""
        batch = self.ledger.batches.open(self.row, 1, self.now, rejudges=rejudges)
        facts = SealedFacts(
            "hash",
            [],
            0,
            {},
            {},
            test_documents=documents,
            test_label_counts={"billing": documents},
            test_sha256=f"{batch.batch:064}",
            planned={DatasetKind.TEST: f"test-{batch.batch}"},
            known={DatasetKind.TEST: f"known/{batch.batch}.bin"},
        )
        self.ledger.batches.seal(batch, self.row, facts, self.now)
        return self.ledger.batches.get(NAME, batch.batch)

    def free(self, batch: BatchRow) -> None:
        """Let the next batch open."""
        assert self.ledger.flywheels.free(NAME, batch.batch)

    def frozen(self, documents: int, rejudges: int | None = None) -> None:
        """Freeze test rows with a batch."""
        batch = self.sealed(documents, rejudges)
        assert self.ledger.batches.announce(batch, self.row, NOTICE, self.now)
        self.free(batch)

    def look(self, times: int = 1, champion: str | None = "m/1") -> None:
        """Store verdicts on the test set as it is."""
        for _ in range(times):
            self.looked += 1
            self._store(champion)

    def _store(self, champion: str | None) -> None:
        row, frozen = self.row, self.row.test_set
        assert frozen is not None
        judged = TestSetFacts(frozen.sha256, frozen.documents, frozen.label_counts, frozen.looks)
        evidence = Evidence(champion, {}, f"m/{self.looked + 1}", {}, True, test_set=judged)
        batch = replace(self.ledger.batches.get(NAME, row.last_batch), attempt=self.looked)
        head = self.ledger.audit.head(NAME)
        facts = VerdictFacts(
            environment="test",
            flywheel=NAME,
            flywheel_arn="arn",
            generation=row.generation,
            batch=batch.batch,
            attempt=batch.attempt,
            iteration_id="1",
            decided_at=self.now.isoformat(),
            actor="compare_models",
            expected_champion=champion,
            inputs=VerdictInputs("m", "0", (), None, IterationNumbers(None, None, None, None)),
            policy={},
            previous_sha256=head.verdict_sha256 if head else FIRST_SHA256,
            product_version="1",
        )
        self.ledger.verdicts.store(batch, row, decide(evidence, Policy()), facts, self.now)

    def rebuilt(self) -> None:
        """Make the next generation."""
        asked = RebuildState("REQUESTED", "x", self.row.arn, self.row.last_batch)
        self.ledger.rebuilds.ask(self.row, asked, NOTICE, self.now)
        self.ledger.rebuilds.note_created(self.row, f"arn-{self.row.generation + 1}")
        self.ledger.rebuilds.switch(self.row, None, self.now)
        self._change({"rebuild": None})

    def given_up(self) -> None:
        """Make the next generation, look at its test set, and go back."""
        asked = RebuildState("REQUESTED", "x", self.row.arn, self.row.last_batch)
        before = self.row.arn
        self.ledger.rebuilds.ask(self.row, asked, NOTICE, self.now)
        self.ledger.rebuilds.note_created(self.row, f"arn-{self.row.next_generation}")
        self.ledger.rebuilds.switch(self.row, None, self.now)
        self.frozen(100)
        self.look(3)
        self.ledger.rebuilds.give_up(self.row, "x", NOTICE, self.now)
        past = self.ledger.rebuilds.past(self.row, before)
        assert past is not None
        self.ledger.rebuilds.go_back(self.row, past, (), self.now)

    def forget(self, *names: str) -> None:
        """Make the flywheel's row one of an earlier release."""
        self._change(dict.fromkeys(names))

    def _change(self, changes: dict[str, Any]) -> None:
        self.ledger.flywheels._table.write([change_flywheel(NAME, changes)])


@pytest.fixture
def story(ledger: Ledger, now: datetime) -> Story:
    """Have a test set of 100 documents with 12 looks."""
    story = Story(ledger, now)
    story.frozen(100)
    story.look(12)
    assert story.looks == (12, 12)
    return story


@pytest.mark.slow
@pytest.mark.parametrize(("added", "looks"), [(1, 12), (100, 6), (300, 3), (10_000, 1)])
def test_looks_wear_off_as_the_test_set_grows_when_rows_are_added(
    story: Story, added: int, looks: int
) -> None:
    """One row does not make a worn set fresh; those of the generation stay."""
    story.frozen(added)
    assert story.looks == (looks, 12)
    story.look()
    assert story.looks == (looks + 1, 13)


def test_every_look_counts_when_models_are_judged_again(story: Story) -> None:
    """The same models on mostly the same documents, however many are added."""
    story.frozen(10_000, rejudges=1)
    assert story.looks == (12, 12)


def test_a_first_model_is_no_look_when_it_is_judged(story: Story) -> None:
    """There is nothing that it was compared with."""
    story.look(champion=None)
    assert story.looks == (12, 12)


@pytest.mark.slow
@pytest.mark.parametrize(("documents", "looks"), [(100, 12), (50, 12), (400, 3)])
def test_looks_are_carried_on_when_a_flywheel_is_rebuilt(
    story: Story, documents: int, looks: int
) -> None:
    """Its test rows go into the next generation; what that one looked at begins anew."""
    story.rebuilt()
    assert (story.row.test_set, story.looks) == (None, (0, 0))
    story.frozen(documents)
    assert story.looks == (looks, 0)
    story.look()
    assert story.looks == (looks + 1, 1)


def test_looks_are_carried_on_when_a_flywheel_is_rebuilt_twice(story: Story) -> None:
    """Although the generation between never had a test set."""
    story.rebuilt()
    story.rebuilt()
    story.frozen(200)
    assert story.looks == (6, 0)


def test_looks_are_added_up_when_a_generation_is_given_up(story: Story) -> None:
    """Its test set was of the same rows, so the earlier one was looked at too."""
    before = story.row.test_set
    story.given_up()
    assert before is not None
    assert story.row.test_set == replace(before, looks=15)
    assert (story.row.generation, story.row.generation_looks) == (1, 15)


def test_looks_wear_off_when_test_rows_are_imported(story: Story) -> None:
    """Rows that the flywheel held before are more documents too; the audit names the set."""
    counts = {"delivery": 20}
    staged = StagedUpload("uid", "k", DatasetKind.TEST, "u", counts, 20, story.now, rows=20)
    upload = story.ledger.uploads.imported(NAME, staged)
    story.ledger.holdings.note_import(
        story.row, staged, upload, "known/i.bin", test_sha256="f" * 64, now=story.now
    )
    assert story.looks == (10, 12)
    assert story.ledger.audit.entries(NAME)[-1]["details"]["test_set"]["looks"] == 10


def failed(story: Story, documents: int) -> BatchRow:
    """Have a batch with test rows that failed before their dataset was complete."""
    batch = story.sealed(documents)
    story.ledger.batches.fail(batch, story.row, BatchFailure("E", "c"), NOTICE, story.now)
    story.free(batch)
    return story.ledger.batches.get(NAME, batch.batch)


def retried(story: Story, batch: BatchRow) -> None:
    """Give a failed batch another attempt, for which its dataset is complete."""
    story.ledger.retries.reopen(
        batch,
        story.row,
        is_sealed=True,
        absent=(),
        refused=(),
        without={},
        reason="x",
        now=story.now,
    )


def test_looks_wear_off_when_rows_are_frozen_late(story: Story) -> None:
    """With the retry of the batch that brought them."""
    story.now += timedelta(hours=1)
    batch = failed(story, 100)
    assert story.looks == (12, 12)
    retried(story, batch)
    assert story.looks == (6, 12)


def test_no_look_wears_off_when_the_test_set_held_the_rows_already(story: Story) -> None:
    """A set that was frozen after the failure has them by hash: it was looked at with them."""
    batch = failed(story, 100)
    story.now += timedelta(hours=1)
    story.frozen(20)
    story.look(2)
    assert story.looks == (12, 14)
    retried(story, batch)
    assert story.looks == (12, 14)
    assert story.row.test_documents == 220


def test_a_generation_begins_with_what_its_test_set_says_when_the_row_is_of_an_earlier_release(
    story: Story,
) -> None:
    """Also where rows are added before the next look."""
    story.forget("generation_looks")
    assert story.looks == (12, 12)
    story.frozen(300)
    assert story.looks == (3, 12)

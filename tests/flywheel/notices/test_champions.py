from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from flywheel.evaluation.champions import ChampionSource
from flywheel.notices.acts import paused
from flywheel.notices.champions import NewChampion, approval_asked, champion_made, outside_judged
from flywheel.notices.notice import Notice
from tests.flywheel.notices.test_batches import ARN, FACTS, NEW, OLD, verdict

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize("on_timeout", ["keep", "promote"])
def test_people_are_asked_when_a_verdict_waits_for_them(
    on_timeout: str, same_as_golden: Callable[[Notice, str], None]
) -> None:
    """The deadline, both commands, and what silence means."""
    notice = approval_asked(FACTS, verdict(), NOW, on_timeout)
    same_as_golden(notice, f"approval_then_{on_timeout}")


@pytest.mark.parametrize("how", [ChampionSource.ROLLBACK, ChampionSource.PROMOTE])
def test_a_change_is_told_when_a_person_made_it(
    how: ChampionSource, same_as_golden: Callable[[Notice, str], None]
) -> None:
    """Who, why, what was live before, what follows, and how to go on."""
    reason = "complaints about\nhttp://x.example"
    change = NewChampion(how, OLD, NEW, "arn:ann", reason, ["No endpoint follows the flywheel."])
    same_as_golden(champion_made("prod", "tickets", change, NOW), f"champion_{how}")


@pytest.mark.parametrize(
    ("live", "name"),
    [(OLD, "promote"), (f"{ARN}:somebody-elses", "changed"), (NEW, "live")],
)
def test_an_outside_iteration_is_told_when_it_was_judged(
    live: str, name: str, same_as_golden: Callable[[Notice, str], None]
) -> None:
    """What would have been done, and how a person does it; nothing where it is live already."""
    notice = outside_judged("prod", "tickets", "20240517T120000Z", verdict(), live)
    same_as_golden(notice, f"outside_{name}")


def test_the_actor_stands_first_when_a_reason_looks_like_a_signature() -> None:
    """Words that a person writes cannot pass for the name of who acted."""
    reason = "bad rows (by bob (verified))"
    notice = paused("prod", "tickets", reason, "alice (claimed)", NOW)
    words = " ".join(notice.body.split())
    assert f"Why: - alice (claimed) paused the flywheel: {reason}." in words

"""The stories, played now, write and send what was recorded: the same names, types and values.

Where a test here fails, what is stored would change. If it must, read `tests.stored.record`.
"""

import json

import pytest

from tests.stored.samples import ACCOUNT, Samples, recorded
from tests.stored.stage import Document

GROUPS = ("audit", "calls", "metrics", "objects", "rows", "tasks")


@pytest.mark.parametrize("group", GROUPS)
def test_the_same_is_stored_and_sent_when_the_stories_are_played(
    played: tuple[Samples, Document], group: str
) -> None:
    """Kind by kind, so that a difference is named by its kind."""
    now, before = played[0][group], recorded(group)
    assert sorted(now) == sorted(before)
    for kind, samples in before.items():
        assert now[kind] == samples, f"{group}/{kind}"


def test_the_same_account_is_left_when_a_story_has_been_played(
    played: tuple[Samples, Document],
) -> None:
    """Every row and every object, byte for byte."""
    assert played[1] == json.loads(ACCOUNT.read_text("utf-8"))


@pytest.mark.parametrize("kind", sorted(recorded("deployed")))
def test_the_stack_names_the_same_when_it_is_synthesized(stack: Document, kind: str) -> None:
    """Outputs, metrics, variables, parameters, logical ids, and the workflow."""
    assert stack[kind] == recorded("deployed")[kind]

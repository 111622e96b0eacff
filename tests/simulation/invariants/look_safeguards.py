"""Removals of the safeguards on the number of comparisons, and on the anchor.

Each function returns the patches that do so. Read next: `safeguards` (which invariants miss them).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from application.comparison import judgement
from application.ledger import batches, test_sets, verdicts
from application.port_values import Change

Patches = Sequence[Any]
_change: Callable[..., Any] = patch.object


def no_look_wears_on() -> Patches:
    """Take a test set for a fresh one as soon as a row is added."""
    return [_change(test_sets, "worn_looks", lambda *given: 0)]


def a_generation_counts_no_look() -> Patches:
    """Count looks in the test set alone."""
    real = verdicts._counted

    def counted(*given: Any) -> list[Change]:
        return [
            replace(
                change,
                set={key: value for key, value in change.set.items() if key != "generation_looks"},
            )
            for change in real(*given)
            if isinstance(change, Change)
        ]

    return [_change(verdicts, "_counted", counted)]


def each_look_at_a_pair_is_the_first() -> Patches:
    """Know nothing of the held batches whose models are judged again."""
    return [_change(batches.Batches, "judged_again", lambda *given: [])]


def every_promotion_moves_the_anchor() -> Patches:
    """Measure non-inferiority from whatever went live last."""
    return [_change(judgement, "_is_gain", lambda *given: True)]

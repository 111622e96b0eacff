"""A decision is measured in both ways, and both come to the same."""

import pytest

from benchmarks import decision


@pytest.mark.slow
def test_both_ways_agree_when_a_decision_is_measured() -> None:
    """P-values within what 2,000 draws differ by, and bounds within what 1,000 do."""
    timed, weighed = decision.measure(quick=True)
    assert [row[2] for row in timed.rows] == list(decision.WAYS)
    plain, scipy = ([float(row[3]), *map(float, row[4].split(" to "))] for row in timed.rows)
    assert abs(plain[0] - scipy[0]) < 0.05
    assert max(abs(one - other) for one, other in zip(plain[1:], scipy[1:], strict=True)) < 0.003
    assert all(len(row) == len(timed.columns) for row in timed.rows)
    assert len(weighed.rows) == 3

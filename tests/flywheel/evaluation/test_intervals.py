"""The formulas, held against SciPy and statsmodels to 1e-9."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats import contingency_tables, proportion

from flywheel.evaluation import intervals

ERRORS = [0.05, 0.05 / 12, 0.025]


@pytest.mark.parametrize(
    ("least", "draws"),
    [
        (0, 0),
        (0, 5),
        (3, 5),
        (5, 5),
        (6, 5),
        (500, 1000),
        (560, 1000),
        (1010, 2001),
        (52000, 10**5),
    ],
)
def test_a_tail_is_that_of_the_binomial_when_a_coin_is_tossed(least: int, draws: int) -> None:
    """The exact sum and the long one agree with SciPy's."""
    assert intervals.binomial_tail(least, draws) == pytest.approx(
        float(stats.binom.sf(least - 1, draws, 0.5)), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("fixed", "broken"), [(0, 0), (1, 0), (8, 1), (30, 12), (12, 30), (600, 520), (7000, 6800)]
)
def test_mcnemar_is_exact_when_documents_are_fixed_and_broken(fixed: int, broken: int) -> None:
    """One-sided as SciPy's binomial test, and half of statsmodels' two-sided where that is < 1."""
    found = intervals.mcnemar(fixed, broken)
    if fixed + broken:
        one_sided = stats.binomtest(fixed, fixed + broken, alternative="greater").pvalue
        assert found == pytest.approx(one_sided, abs=1e-9)
    if fixed > broken:
        two_sided = contingency_tables.mcnemar([[5, fixed], [broken, 5]], exact=True).pvalue
        assert 2 * found == pytest.approx(two_sided, abs=1e-9)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("right", "documents"), [(0, 30), (15, 30), (30, 30), (923, 1000)])
def test_bounds_of_a_share_are_wilsons_when_documents_are_counted(
    right: int, documents: int, error: float
) -> None:
    """Each one-sided bound is an end of the two-sided interval of twice the error."""
    expected = proportion.proportion_confint(right, documents, alpha=2 * error, method="wilson")
    assert intervals.wilson(right / documents, documents, error) == pytest.approx(
        expected, abs=1e-9
    )


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    ("old", "new", "documents"), [(40, 45, 50), (0, 3, 30), (30, 30, 30), (850, 870, 1000)]
)
def test_bounds_of_an_unpaired_gain_are_newcombes_when_nothing_is_known_of_pairs(
    old: int, new: int, documents: int, error: float
) -> None:
    """As statsmodels' interval of two independent shares."""
    expected = proportion.confint_proportions_2indep(
        new, documents, old, documents, method="newcomb", compare="diff", alpha=2 * error
    )
    found = intervals.unpaired_gain(old / documents, new / documents, documents, error)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    ("fixed", "broken", "documents"),
    [(0, 0, 100), (3, 0, 50), (0, 3, 50), (12, 8, 200), (65, 35, 1000), (6000, 4000, 100_000)],
)
def test_bounds_of_a_paired_gain_are_tangos_when_pairs_are_known(
    fixed: int, broken: int, documents: int, error: float
) -> None:
    """Each bound is where Tango's score, maximised by SciPy, meets the normal quantile."""
    z = stats.norm.isf(error)

    def score(gain: float) -> float:
        if fixed == broken == 0 and gain == 0:
            return 0.0
        # The constrained likelihood's root, by SciPy instead of by the formula.
        likelihood = np.poly1d(
            [2 * documents, (2 * documents - fixed + broken) * gain - fixed - broken,
             -broken * gain * (1 - gain)]
        )  # fmt: skip
        share = max(0.0, float(max(np.real(likelihood.roots))))
        spread = documents * (2 * share + gain * (1 - gain))
        return float((fixed - broken - documents * gain) / math.sqrt(spread))

    point = (fixed - broken) / documents
    low = optimize.brentq(lambda gain: score(gain) - z, -0.999999, point - 1e-9, xtol=1e-14)
    high = optimize.brentq(lambda gain: score(gain) + z, point + 1e-9, 0.999999, xtol=1e-14)
    assert intervals.paired_gain(fixed, broken, documents, error) == pytest.approx(
        (low, high), abs=1e-9
    )


def test_bounds_stay_inside_when_everything_changes() -> None:
    """A gain of 1 has no higher bound, and one of -1 no lower."""
    assert intervals.paired_gain(20, 0, 20, 0.05)[1] == 1.0
    assert intervals.paired_gain(0, 20, 20, 0.05)[0] == -1.0


@pytest.mark.parametrize("documents", [10, 100, 5000])
def test_a_hidden_change_is_tangos_bound_when_nothing_disagrees(documents: int) -> None:
    """Without a disagreement both ways of saying it give one number."""
    low, high = intervals.paired_gain(0, 0, documents, 0.05)
    hidden = intervals.no_disagreement(documents, 0.05)
    assert (-low, high) == pytest.approx((hidden, hidden), abs=1e-9)


def test_the_worst_pairing_is_no_worse_than_any_when_two_models_are_paired() -> None:
    """Among all tables with these margins none correlates less."""
    for old, new in product([0.5, 0.7, 0.9, 0.98], repeat=2):
        lowest = intervals.least_favourable_correlation(old, new)
        both = max(0.0, old + new - 1)
        spread = math.sqrt(old * (1 - old) * new * (1 - new))
        assert (
            lowest == pytest.approx((both - old * new) / spread)
            or lowest < (both - old * new) / spread
        )
        assert -1 <= lowest <= 0
    assert intervals.least_favourable_correlation(1.0, 1.0) == 0.0

"""The looks at a test set, and the part of the error that one look may use.

Each look at the same documents is one more chance for noise to pass for a gain. Decides how looks
wear off when rows are added, and how the error of 5 % is shared out. Pure. Read next:
`flywheel.evaluation.effective_rules` (what the error is used for).

Notes
-----
*Source*: the shares form a geometric series, as in alpha-spending (Lan and DeMets 1983): whatever
the number of looks, all shares together stay at most `ERROR`.
"""

from flywheel.settings.policy import Policy

ERROR = 0.05
"""How often chance may pass for a gain, one-sided."""

_LEAST_ERROR = 1e-12
"""A smaller error rounds to none."""

_FIRST_SHARE = 0.8
_NEXT_SHARE = 0.2
"""The first look at a pair of models has 0.8 of `ERROR`, each next one 0.2 of the one before."""


def error_of_look(policy: Policy, *, generation_looks: int = 0, pair_looks: int = 0) -> float:
    """Return how often one look may err.

    Parameters
    ----------
    generation_looks : int
        Verdicts before this one in the flywheel's generation; they count for ``strict``.
    pair_looks : int
        Verdicts before this one on the same champion and challenger; they count for ``per-look``.

    Examples
    --------
    >>> error_of_look(Policy()), error_of_look(Policy(), pair_looks=1)
    (0.04, 0.008)
    >>> error_of_look(Policy(family_error="strict", looks_planned=5), generation_looks=5)
    0.0025
    """
    if policy.family_error == "strict":
        planned = policy.looks_planned
        error = ERROR * 2.0 ** -(generation_looks // planned + 1) / planned
    else:
        error = round(ERROR * _FIRST_SHARE * _NEXT_SHARE**pair_looks, 15)
    return max(error, _LEAST_ERROR)


def worn_looks(looks: int, documents_before: int, documents: int) -> int:
    """Return how many looks a test set counts after rows were added to it.

    Parameters
    ----------
    looks : int
        At the test set before.
    documents_before, documents : int
        Its documents, before and with the added rows.

    Examples
    --------
    >>> worn_looks(12, 1000, 1001), worn_looks(12, 1000, 4000), worn_looks(12, 1000, 500)
    (12, 3, 12)
    """
    return min(looks, -(-looks * documents_before // max(documents, 1)))

"""How many bad rows of a file the batch rules allow."""

from flywheel.intake.labeled_documents import Allowance
from flywheel.settings.environment import BatchRules


def allowance(rules: BatchRules) -> Allowance:
    """Return how many bad rows of an upload may be left out."""
    if rules.bad_rows == "refuse":
        return Allowance(rows=0)
    return Allowance(rules.max_bad_rows, rules.max_bad_rows_fraction)

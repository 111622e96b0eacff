"""One run of reconcile, as its function does it."""

from application.error_handling import Failures
from application.reconciliation.reconcile import reconcile
from application.services import Services


def reconciled(services: Services) -> dict[str, int]:
    """Look at everything once; what failed is raised at the end."""
    failures = Failures()
    found = reconcile(services, failures)
    failures.raise_first()
    return found

"""The same account for the adapters alone."""

from tests.application.conftest import cloud, ledger, now, table

__all__ = ["cloud", "ledger", "now", "table"]

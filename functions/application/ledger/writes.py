"""Rows of the ledger's table, and the conditional writes of a transaction.

Read next: `application.ports.Rows`, which carries them out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]
"""One row with plain Python values; keys ``pk`` and ``sk``."""


@dataclass(frozen=True, slots=True)
class Key:
    """A row's primary key."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Put:
    """Write a row that must not exist yet (or, when ``replaces``, may)."""

    key: Key
    values: Mapping[str, Any]
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Change a row that must exist and be as expected; without new values it is only checked.

    Parameters
    ----------
    key : Key
    set : mapping
        New values; None removes the attribute.
    expect : mapping
        Values that the row must have now; None means that the attribute must be absent.
    """

    key: Key
    set: Mapping[str, Any]
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row; it is no error when it is gone already."""

    key: Key


Write = Put | Change | Delete

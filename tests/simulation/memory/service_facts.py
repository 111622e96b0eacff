"""Values of the service in memory: datasets, effects, and the state that flywheels share."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from flywheel.batches.uploads import DatasetKind

Row = tuple[str, str]
"""A label and a text."""


@dataclass(slots=True)
class MemoryDataset:
    """One dataset, and its rows."""

    arn: str
    kind: DatasetKind
    prefix: str
    description: str
    status: str = "CREATING"
    completed_at: datetime | None = None
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a function did to the service.

    Parameters
    ----------
    flywheel_arn : str
        Empty for what belongs to no flywheel.
    call : str
        The port's method.
    subject : str
        ARN of the dataset, model or job, or the iteration's token.
    iteration_id : str
    seen_active : str or None
        What the caller saw as the active model at its last look; ``never`` where it did not look.
    """

    flywheel_arn: str
    call: str
    subject: str
    iteration_id: str = ""
    seen_active: str | None = "never"


@dataclass(slots=True)
class Shared:
    """What all flywheels of an account have in common.

    Parameters
    ----------
    watchers : list of callable
        Called with each `Effect` before it is done.
    followed : str
        The flywheel that the account's endpoint follows.
    quality : dict of str to float
        The quality of each model.
    were_live : set of str
        Models that were active at some time.
    flywheels : set of str
        ARNs of all that there are.
    """

    watchers: list[Callable[[Effect], None]] = field(default_factory=list)
    followed: str = ""
    quality: dict[str, float] = field(default_factory=dict)
    were_live: set[str] = field(default_factory=set)
    flywheels: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

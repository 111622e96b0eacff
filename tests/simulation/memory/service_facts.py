"""Values of the service in memory: datasets, effects, and the state that flywheels share."""

import csv
import io
import itertools
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from application.port_values import Iteration
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ServiceRefusedError
from flywheel.settings.policy import METRICS

_SLOTS = {DatasetKind.TRAIN: 50, DatasetKind.TEST: 10}
_MOST_CREATING = 10

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

    def metrics(self, model: str | None) -> Mapping[str, float] | None:
        """Return the averages of a model; None without one."""
        return None if model is None else dict.fromkeys(METRICS, self.quality[model])


def refuse_over_quota(datasets: Collection[MemoryDataset], kind: DatasetKind, name: str) -> None:
    """Refuse one more dataset of a flywheel where a quota is reached."""
    used = sum(item.kind is kind for item in datasets)
    creating = sum(item.status == "CREATING" for item in datasets)
    if used >= _SLOTS[kind] or creating >= _MOST_CREATING:
        raise ServiceRefusedError("CreateDataset", "ResourceLimitExceededException", name)


def new_iteration(number: int, moment: datetime, evaluated_model: str | None) -> Iteration:
    """Return an iteration that begins."""
    return Iteration(
        id=f"iteration-{number}",
        status="TRAINING",
        message="",
        created_at=moment,
        seconds=0,
        evaluated_model=evaluated_model,
        evaluated_metrics=None,
        trained_model=f"model-{number}",
        trained_metrics=None,
    )


def rows_under(objects: Mapping[str, bytes], prefix: str) -> tuple[Row, ...]:
    """Return the rows of the files below a prefix, in the order of their keys."""
    rows: list[Row] = []
    for key in sorted(objects):
        if key.startswith(prefix):
            text = io.StringIO(objects[key].decode(), newline="")
            rows += [(row[0], row[1]) for row in csv.reader(text)]
    return tuple(rows)


def unusable_metrics(chance: random.Random) -> dict[str, float] | None:
    """Draw averages that no rule can use."""
    nan = float("nan")
    return chance.choice([None, {}, {"AverageF1Score": nan}, {"AverageF1Score": -1.0}])

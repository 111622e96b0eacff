"""The Comprehend flywheel API in memory, as its documentation says it behaves.

One iteration at a time; names of datasets are unique for ever; tokens are remembered; UpdateFlywheel
is a blind write. A model is as good as its rows: the more it was trained on, the better, and every
model of one history has a luck of its own.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from adapters.comprehend import FlywheelFacts, Iteration
from flywheel.errors import ServiceRefusedError
from flywheel.settings import METRICS
from flywheel.shapes import Shape
from flywheel.uploads import DatasetKind
from tests.simulation.chance import World
from tests.simulation.memory_ports import MemoryStaging

_DATASET_SECONDS, _ITERATION_SECONDS = 120, 1800
_TRAIN_SLOTS, _TEST_SLOTS = 50, 10


@dataclass(slots=True)
class MemoryDataset:
    """One dataset."""

    arn: str
    kind: DatasetKind
    prefix: str
    description: str
    status: str
    complete_at: datetime
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class MemoryService:
    """One flywheel of the service."""

    world: World
    staging: MemoryStaging
    arn: str
    names: tuple[str, ...]
    active: str | None = None
    datasets: dict[str, MemoryDataset] = field(default_factory=dict)
    history: dict[str, Iteration] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    started_by_token: Counter[str] = field(default_factory=Counter)
    remembers_tokens: bool = True
    _tokens: dict[str, str] = field(default_factory=dict)
    _seen_active: str | None = None

    # What functions call.

    def describe(self) -> FlywheelFacts:
        """Return the flywheel as it is now."""

        def look() -> FlywheelFacts:
            self._seen_active = self.active
            return FlywheelFacts(self.arn, "ACTIVE", self.active, self.names)

        return self.world.call("comprehend.describe", look)

    def labels(self) -> tuple[str, ...]:
        """Return the flywheel's labels."""
        return self.world.call("comprehend.labels", lambda: self.names)

    def create_dataset(
        self,
        name: str,
        kind: DatasetKind,
        s3_uri: str,
        *,
        shape: Shape,
        token: str,
        description: str,
    ) -> str:
        """Create a dataset and return its ARN; one of ours that is there already is recognised."""
        arn = f"{self.arn}/dataset/{name}"

        def create() -> str:
            if arn in self.datasets:
                if self.datasets[arn].description != description:
                    raise ServiceRefusedError("CreateDataset", "ResourceInUseException", name)
                return arn
            used = sum(item.kind is kind for item in self.datasets.values())
            if used >= (_TRAIN_SLOTS if kind is DatasetKind.TRAIN else _TEST_SLOTS):
                raise ServiceRefusedError("CreateDataset", "ResourceLimitExceededException", name)
            prefix = s3_uri.removeprefix(f"s3://{self.staging.bucket}/")
            moment = self.world.now + timedelta(seconds=_DATASET_SECONDS)
            made = MemoryDataset(arn, kind, prefix, description, "CREATING", moment)
            self.datasets[arn] = made
            self.world.later(_DATASET_SECONDS, "dataset", lambda: self._ingest(made))
            self.world.note(f"dataset {name} is CREATING")
            return arn

        return self.world.call("comprehend.create_dataset", create)

    def dataset_status(self, dataset_arn: str) -> str | None:
        """Return a dataset's status, or None where there is no such dataset."""

        def look() -> str | None:
            found = self.datasets.get(dataset_arn)
            return found.status if found else None

        return self.world.call("comprehend.dataset_status", look)

    def has_test_dataset(self) -> bool:
        """Say whether the flywheel holds a usable TEST dataset."""
        return self.world.call(
            "comprehend.has_test_dataset", lambda: bool(self._complete(DatasetKind.TEST))
        )

    def dataset_completed_at(self, dataset_arn: str) -> datetime:
        """Return when a dataset was complete."""
        return self.world.call(
            "comprehend.dataset_completed_at", lambda: self.datasets[dataset_arn].complete_at
        )

    def start_iteration(self, token: str) -> str | None:
        """Start an iteration; None while another one occupies the flywheel."""

        def start() -> str | None:
            if self.remembers_tokens and token in self._tokens:
                return self._tokens[token]
            if any(item.is_running for item in self.history.values()):
                return None
            self.started_by_token[token] += 1
            self._tokens[token] = self.begin()
            return self._tokens[token]

        return self.world.call("comprehend.start_iteration", start)

    def iteration(self, iteration_id: str) -> Iteration:
        """Return one iteration."""
        return self.world.call("comprehend.iteration", lambda: self.history[iteration_id])

    def iterations(self) -> Iterator[Iteration]:
        """Give the flywheel's iterations."""
        return iter(self.world.call("comprehend.iterations", lambda: list(self.history.values())))

    def make_active(self, model_arn: str) -> None:
        """Make a model the active one; a blind write."""

        def update() -> None:
            # What changed between the look and this write no caller can see.
            if self._seen_active == self.active and self.active != model_arn:
                self._check_promotion(model_arn)
            self.active = model_arn
            self.world.note(f"active model is {model_arn}")

        self.world.call("comprehend.make_active", update)

    # What the service and people in the console do.

    def begin(self, *, is_outside: bool = False) -> str:
        """Begin an iteration on everything that is complete."""
        number = len(self.history) + 1
        found = Iteration(
            id=f"iteration-{number}",
            status="TRAINING",
            message="",
            created_at=self.world.now,
            seconds=0,
            evaluated_model=self.active,
            evaluated_metrics=None,
            trained_model=f"model-{number}",
            trained_metrics=None,
        )
        self.history[found.id] = found
        if is_outside:
            self.outside.add(found.id)
        trained_on = sum(len(item.rows) for item in self._complete(DatasetKind.TRAIN))
        if not trained_on:
            self.world.breaks("no empty iteration", found.id)
        self.world.later(_ITERATION_SECONDS, "iteration", lambda: self._end(found.id, trained_on))
        self.world.note(f"{found.id} is TRAINING on {trained_on} rows")
        return found.id

    def held(self, kind: DatasetKind) -> Counter[tuple[str, str]]:
        """Return the rows that datasets of a kind hold, all but FAILED ones."""
        rows: Counter[tuple[str, str]] = Counter()
        for item in self.datasets.values():
            if item.kind is kind and item.status != "FAILED":
                rows.update(item.rows or self._read(item))
        return rows

    @property
    def has_training_rows(self) -> bool:
        """Whether an iteration would have anything to train on."""
        return any(item.rows for item in self._complete(DatasetKind.TRAIN))

    def _complete(self, kind: DatasetKind) -> list[MemoryDataset]:
        return [
            item
            for item in self.datasets.values()
            if item.kind is kind and item.status == "COMPLETED"
        ]

    def _read(self, dataset: MemoryDataset) -> tuple[tuple[str, str], ...]:
        rows: list[tuple[str, str]] = []
        for key, body in sorted(self.staging.objects.items()):
            if key.startswith(dataset.prefix):
                rows += [(row[0], row[1]) for row in csv.reader(io.StringIO(body.decode()))]
        return tuple(rows)

    def _ingest(self, dataset: MemoryDataset) -> None:
        dataset.rows = self._read(dataset)
        failed = self.world.happens(self.world.rates.dataset_fails)
        dataset.status = "FAILED" if failed else "COMPLETED"
        self.world.note(f"{dataset.arn} is {dataset.status}, {len(dataset.rows)} rows")

    def _end(self, iteration_id: str, trained_on: int) -> None:
        running = self.history[iteration_id]
        if self.world.happens(self.world.rates.iteration_fails):
            status = self.world.chance.choice(["FAILED", "STOPPED"])
            self.history[iteration_id] = replace(running, status=status, message="by chance")
            return
        luck = self.world.chance.random() * 0.1
        challenger = min(0.99, 0.5 + trained_on / 200 + luck)
        champion = self._quality(running.evaluated_model)
        missing = self.world.happens(self.world.rates.metrics_missing)
        self.history[iteration_id] = replace(
            running,
            status="COMPLETED",
            seconds=_ITERATION_SECONDS,
            evaluated_metrics=None if champion is None else _metrics(champion),
            trained_metrics=self._unusable() if missing else _metrics(challenger),
        )
        self.world.note(f"{iteration_id} is COMPLETED, {challenger:.3f}{' missing' * missing}")

    def _quality(self, model: str | None) -> float | None:
        for item in self.history.values():
            metrics = item.trained_metrics
            if item.trained_model == model and metrics is not None:
                value = metrics.get("AverageF1Score", 0.0)
                return value if value == value else 0.6  # noqa: PLR0124 - not NaN
        return None if model is None else 0.6

    def _unusable(self) -> dict[str, float] | None:
        return self.world.chance.choice(
            [None, {}, {"AverageF1Score": float("nan")}, {"AverageF1Score": -1.0}]
        )

    def _check_promotion(self, model_arn: str) -> None:
        """See that what goes live had finite metrics and beat what it was judged against."""
        iteration = next(item for item in self.history.values() if item.trained_model == model_arn)
        new = (iteration.trained_metrics or {}).get("AverageF1Score", float("nan"))
        if not 0 <= new <= 1:
            self.world.breaks("promotions have finite metrics", model_arn)
            return
        if iteration.evaluated_model != self.active:
            words = f"{model_arn} was judged against {iteration.evaluated_model}, not {self.active}"
            self.world.breaks("a person's champion is not overwritten", words)
            return
        old = (iteration.evaluated_metrics or {}).get("AverageF1Score")
        if old is not None and new <= old:
            self.world.breaks("promotions beat the champion", f"{new} over {old}")


def _metrics(value: float) -> Mapping[str, float]:
    return dict.fromkeys(METRICS, value)

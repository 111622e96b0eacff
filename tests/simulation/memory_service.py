"""The Comprehend flywheel API in memory, as its documentation says it behaves.

One iteration at a time; names of datasets are unique for ever; tokens are remembered; datasets
have quotas and cannot be deleted; UpdateFlywheel is a blind write. A prefix is read when its
dataset is taken in, not when it is created. A model is as good as the rows it was trained on, and
every model has a luck of its own.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from application.port_values import FlywheelFacts, Iteration, ModelFacts
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import LabelsUnknownError, ServiceBusyError, ServiceRefusedError
from flywheel.evaluation.model_labels import ModelLabels
from flywheel.notices.endpoints import Endpoint
from flywheel.settings.data_format import DataFormat
from flywheel.settings.policy import METRICS
from tests.simulation.memory_buckets import MemoryStaging
from tests.simulation.service_facts import Effect, MemoryDataset, Row, Shared
from tests.simulation.world import World

_ENDPOINT = "arn:aws:comprehend:us-east-1:123456789012:document-classifier-endpoint/live"

_DATASET_SECONDS = (30, 120, 900)
_ITERATION_SECONDS = (600, 1800, 5400)
_SLOTS = {DatasetKind.TRAIN: 50, DatasetKind.TEST: 10}
_MOST_CREATING = 10


@dataclass(slots=True)
class MemoryService:
    """One flywheel of the service.

    Parameters
    ----------
    world : World
    staging : MemoryStaging
        From where datasets are read.
    arn : str
    names : tuple of str
        Its labels.
    shared : Shared
    status : str
    makes_first_active : bool
        Whether the first model of a flywheel without one is live at once.
    """

    world: World
    staging: MemoryStaging
    arn: str
    names: tuple[str, ...]
    shared: Shared = field(default_factory=Shared)
    status: str = "ACTIVE"
    makes_first_active: bool = False
    active: str | None = None
    datasets: dict[str, MemoryDataset] = field(default_factory=dict)
    history: dict[str, Iteration] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    _tokens: dict[str, str] = field(default_factory=dict)
    _seen: dict[int, str | None] = field(default_factory=dict)
    _stopped: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Be one of the account's flywheels."""
        self.shared.flywheels.add(self.arn)

    # What functions call.

    def describe(self) -> FlywheelFacts:
        """Return the flywheel as it is now."""

        def look() -> FlywheelFacts:
            self._seen[self.world.process_number] = self.active
            return FlywheelFacts(self.arn, self.status, self.active, self._task_config())

        return self.world.call("comprehend.describe", look)

    def has_flywheel(self, flywheel_arn: str) -> bool:
        """Say whether a flywheel, this one or another, is there and stays."""
        return self.world.call(
            "comprehend.has_flywheel", lambda: flywheel_arn in self.shared.flywheels
        )

    def task_config(self) -> dict[str, Any]:
        """Return the flywheel's task and labels."""

        def look() -> dict[str, Any]:
            if self.status != "ACTIVE":
                raise ServiceBusyError("DescribeFlywheel", f"flywheel is {self.status}")
            return self._task_config()

        return self.world.call("comprehend.task_config", look)

    def _task_config(self) -> dict[str, Any]:
        labels = {"Mode": "MULTI_CLASS", "Labels": list(self.names)}
        return {"DocumentClassificationConfig": labels}

    def create_dataset(
        self,
        name: str,
        kind: DatasetKind,
        s3_uri: str,
        *,
        shape: DataFormat,
        token: str,
        description: str,
    ) -> str:
        """Create a dataset and return its ARN; one of ours that is there already is recognised."""
        arn = f"{self.arn}/dataset/{name}"
        prefix = s3_uri.removeprefix(f"s3://{self.staging.bucket}/")

        def create() -> str:
            known = self.datasets.get(arn)
            if known is None:
                self._refuse_over_quota(kind, name)
                self._tell(Effect(self.arn, "create_dataset", arn))
                self._create(MemoryDataset(arn, kind, prefix, description))
            elif known.description != description:
                raise ServiceRefusedError("CreateDataset", "ResourceInUseException", name)
            return arn

        return self.world.call("comprehend.create_dataset", create, is_repeatable=True)

    def dataset_status(self, dataset_arn: str) -> str | None:
        """Return a dataset's status, or None where there is no such dataset."""

        def look() -> str | None:
            found = self.datasets.get(dataset_arn)
            return found.status if found else None

        return self.world.call("comprehend.dataset_status", look)

    def has_dataset(self, kind: DatasetKind) -> bool:
        """Say whether the flywheel holds a usable dataset of a kind."""
        return self.world.call("comprehend.has_dataset", lambda: bool(self.complete(kind)))

    def dataset_completed_at(self, dataset_arn: str) -> datetime:
        """Return when a dataset was complete."""
        return self.world.call(
            "comprehend.dataset_completed_at",
            lambda: self.datasets[dataset_arn].completed_at or self.world.now,
        )

    def start_iteration(self, token: str) -> str | None:
        """Start an iteration; None while another one occupies the flywheel."""

        def start() -> str | None:
            if token in self._tokens:
                return self._tokens[token]
            if self.is_training:
                return None
            self._tokens[token] = self._begin()
            self._tell(Effect(self.arn, "start_iteration", token, self._tokens[token]))
            return self._tokens[token]

        return self.world.call("comprehend.start_iteration", start, is_repeatable=True)

    def iteration(self, iteration_id: str) -> Iteration:
        """Return one iteration."""

        def look() -> Iteration:
            if iteration_id not in self.history:
                code = "ResourceNotFoundException"
                raise ServiceRefusedError("DescribeFlywheelIteration", code, iteration_id)
            return self.history[iteration_id]

        return self.world.call("comprehend.iteration", look)

    def iterations(self) -> Iterator[Iteration]:
        """Give the flywheel's iterations."""
        return iter(self.world.call("comprehend.iterations", lambda: list(self.history.values())))

    def make_active(self, model_arn: str) -> None:
        """Make a model the active one; a blind write."""

        def update() -> None:
            seen = self._seen.get(self.world.process_number, "never")
            self._tell(Effect(self.arn, "make_active", model_arn, seen_active=seen))
            self._go_live(model_arn)
            self.world.note(f"active model is {model_arn}")

        self.world.call("comprehend.make_active", update, is_repeatable=True)

    def model(self, model_arn: str) -> ModelFacts | None:
        """Return a model's status and flywheel, or None where there is no such model."""

        def look() -> ModelFacts | None:
            if model_arn not in self.shared.quality:
                return None
            return ModelFacts("TRAINED", self.arn)

        return self.world.call("comprehend.model", look)

    def model_labels(self, model_arn: str, average_f1: float | None) -> ModelLabels:
        """Tell nothing of labels: a classifier's description names no confusion matrix."""

        def look() -> ModelLabels:
            raise LabelsUnknownError("DescribeDocumentClassifier names no confusion matrix")

        return self.world.call("comprehend.model_labels", look)

    def endpoints(self) -> list[Endpoint]:
        """Return the account's one endpoint, where there is one that follows a flywheel."""

        def look() -> list[Endpoint]:
            followed = self.shared.followed
            return [Endpoint(_ENDPOINT, "IN_SERVICE", None, followed)] if followed else []

        return self.world.call("comprehend.endpoints", look)

    def model_in_training(self) -> str | None:
        """Return the model that an iteration trains now, if one does."""
        return self.world.call("comprehend.model_in_training", self._model_in_training)

    def stop_training(self, model_arn: str) -> None:
        """Stop a training; its iteration says so when it ends."""

        def stop() -> None:
            if model_arn != self._model_in_training():
                raise ServiceRefusedError("StopTraining", "InvalidRequestException", "it is over")
            self._stopped.add(model_arn)

        self.world.call("comprehend.stop_training", stop)

    # What the state machine asks, in the service's own words.

    def describe_dataset(self, arn: str) -> dict[str, Any]:
        """Return the answer to DescribeDataset."""
        return {"DatasetProperties": {"DatasetArn": arn, "Status": self.datasets[arn].status}}

    def describe_iteration(self, iteration_id: str) -> dict[str, Any]:
        """Return the answer to DescribeFlywheelIteration, as far as the state machine reads it."""
        found = self.history[iteration_id]
        properties = {"FlywheelIterationId": found.id, "Status": found.status}
        if found.message:
            properties["Message"] = found.message
        return {"FlywheelIterationProperties": properties}

    # What people do in the console, and what the service does by itself.

    def begin(self) -> None:
        """Become ACTIVE."""
        self.status = "ACTIVE"
        self.world.note(f"{self.arn.rsplit('/', 1)[-1]} is ACTIVE")

    @property
    def is_training(self) -> bool:
        """Whether an iteration occupies the flywheel."""
        return any(item.is_running for item in self.history.values())

    def complete(self, kind: DatasetKind) -> list[MemoryDataset]:
        """Return the COMPLETED datasets of a kind."""
        found = self.datasets.values()
        return [item for item in found if item.kind is kind and item.status == "COMPLETED"]

    def held(self, kind: DatasetKind) -> Counter[Row]:
        """Return the rows in COMPLETED datasets of a kind."""
        return Counter(row for item in self.complete(kind) for row in item.rows)

    def start_outside(self) -> None:
        """Let a person start an iteration, where that is possible."""
        if self.status == "ACTIVE" and not self.is_training and self.complete(DatasetKind.TRAIN):
            self.outside.add(self._begin())

    def make_active_outside(self) -> None:
        """Let a person make some trained model active."""
        models = [model for model in self.shared.quality if model != self.active]
        if models:
            self._go_live(self.world.chance.choice(models))
            self.world.note(f"a person makes {self.active} active")

    def forget_tokens(self) -> None:
        """Remember no token; how long the service does is documented nowhere."""
        self._tokens.clear()

    def _model_in_training(self) -> str | None:
        models = (item.trained_model for item in self.history.values() if item.is_running)
        return next((model for model in models if model not in self._stopped), None)

    def _tell(self, effect: Effect) -> None:
        for watcher in self.shared.watchers:
            watcher(effect)

    def _go_live(self, model: str) -> None:
        self.active = model
        self.shared.were_live.add(model)

    def _refuse_over_quota(self, kind: DatasetKind, name: str) -> None:
        datasets = self.datasets.values()
        used = sum(item.kind is kind for item in datasets)
        creating = sum(item.status == "CREATING" for item in datasets)
        if used >= _SLOTS[kind] or creating >= _MOST_CREATING:
            raise ServiceRefusedError("CreateDataset", "ResourceLimitExceededException", name)

    def _create(self, made: MemoryDataset) -> None:
        self.datasets[made.arn] = made
        self.world.note(f"dataset {made.arn.rsplit('/', 1)[-1]} is CREATING")
        self.world.later(self.world.chance.choice(_DATASET_SECONDS), lambda: self._take_in(made))

    def _take_in(self, dataset: MemoryDataset) -> None:
        dataset.rows = self._read(dataset.prefix)
        fails = not dataset.rows or self.world.happens(self.world.rates.dataset_fails)
        dataset.status = "FAILED" if fails else "COMPLETED"
        dataset.completed_at = self.world.now + self.world.skew
        name = dataset.arn.rsplit("/", 1)[-1]
        self.world.note(f"dataset {name} is {dataset.status}, {len(dataset.rows)} rows")

    def _read(self, prefix: str) -> tuple[Row, ...]:
        rows: list[Row] = []
        for key in sorted(self.staging.objects):
            if key.startswith(prefix):
                text = io.StringIO(self.staging.objects[key].decode(), newline="")
                rows += [(row[0], row[1]) for row in csv.reader(text)]
        return tuple(rows)

    def _begin(self) -> str:
        number = next(self.shared.numbers)
        begun = Iteration(
            id=f"iteration-{number}",
            status="TRAINING",
            message="",
            created_at=self.world.now + self.world.skew,
            seconds=0,
            evaluated_model=self.active,
            evaluated_metrics=None,
            trained_model=f"model-{number}",
            trained_metrics=None,
        )
        self.history[begun.id] = begun
        trained_on = self.held(DatasetKind.TRAIN).total()
        seconds = self.world.chance.choice(_ITERATION_SECONDS)
        self.world.later(seconds, lambda: self._end(begun.id, trained_on, seconds))
        self.world.note(f"{begun.id} is TRAINING on {trained_on} rows, from {self.active}")
        return begun.id

    def _end(self, iteration_id: str, trained_on: int, seconds: int) -> None:
        running, chance = self.history[iteration_id], self.world.chance
        if running.trained_model in self._stopped:
            ended = replace(running, status="STOPPED", seconds=seconds)
        elif self.world.happens(self.world.rates.iteration_fails):
            status = chance.choice(["FAILED", "STOPPED"])
            message = chance.choice(["", "by chance"])
            ended = replace(running, status=status, message=message, seconds=seconds)
        else:
            model = str(running.trained_model)
            self.shared.quality[model] = min(0.99, 0.45 + trained_on / 120 + chance.random() * 0.15)
            missing = self.world.happens(self.world.rates.metrics_missing)
            ended = replace(
                running,
                status="COMPLETED",
                seconds=seconds,
                evaluated_metrics=self._metrics(running.evaluated_model),
                trained_metrics=self._unusable() if missing else self._metrics(model),
            )
            if self.active is None and self.makes_first_active:
                self._go_live(model)
        self.history[iteration_id] = ended
        self.world.note(f"{iteration_id} is {ended.status}, {ended.trained_metrics}")

    def _metrics(self, model: str | None) -> Mapping[str, float] | None:
        if model is None:
            return None
        return dict.fromkeys(METRICS, self.shared.quality[model])

    def _unusable(self) -> dict[str, float] | None:
        nan = float("nan")
        return self.world.chance.choice(
            [None, {}, {"AverageF1Score": nan}, {"AverageF1Score": -1.0}]
        )

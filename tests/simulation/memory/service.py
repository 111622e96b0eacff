"""The Comprehend flywheel API in memory, as its documentation says it behaves.

One iteration at a time; names of datasets are unique for ever; tokens are remembered; datasets
have quotas and cannot be deleted; UpdateFlywheel is a blind write. A prefix is read when its
dataset is ingested, not when it is created. A model is as good as the rows it was trained on, and
every model has a luck of its own.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from application.port_values import FlywheelFacts, Iteration, ModelFacts
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import LabelsUnknownError, ServiceBusyError, ServiceRefusedError
from flywheel.evaluation.label_metrics import ModelLabels
from flywheel.notices.endpoints import Endpoint
from flywheel.settings.data_format import DataFormat
from tests.simulation.memory.buckets import MemoryStaging
from tests.simulation.memory.service_facts import (
    Effect,
    MemoryDataset,
    Row,
    Shared,
    new_iteration,
    refuse_over_quota,
    rows_under,
    unusable_metrics,
)
from tests.simulation.simulator import Simulator

_ENDPOINT = "arn:aws:comprehend:us-east-1:123456789012:document-classifier-endpoint/live"

_DATASET_SECONDS = (30, 120, 900)
_ITERATION_SECONDS = (600, 1800, 5400)


@dataclass(slots=True)
class MemoryService:
    """One flywheel of the service.

    Parameters
    ----------
    simulator : Simulator
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

    simulator: Simulator
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
            self._seen[self.simulator.process_number] = self.active
            return FlywheelFacts(self.arn, self.status, self.active, self._task_config())

        return self.simulator.call("comprehend.describe", look)

    def has_flywheel(self, flywheel_arn: str) -> bool:
        """Say whether a flywheel, this one or another, is there and stays."""
        return self.simulator.call(
            "comprehend.has_flywheel", lambda: flywheel_arn in self.shared.flywheels
        )

    def task_config(self) -> dict[str, Any]:
        """Return the flywheel's task and labels."""

        def look() -> dict[str, Any]:
            if self.status != "ACTIVE":
                raise ServiceBusyError("DescribeFlywheel", f"flywheel is {self.status}")
            return self._task_config()

        return self.simulator.call("comprehend.task_config", look)

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
                refuse_over_quota(self.datasets.values(), kind, name)
                self._report(Effect(self.arn, "create_dataset", arn))
                self._create(MemoryDataset(arn, kind, prefix, description))
            elif known.description != description:
                raise ServiceRefusedError("CreateDataset", "ResourceInUseException", name)
            return arn

        return self.simulator.call("comprehend.create_dataset", create, is_repeatable=True)

    def dataset_status(self, dataset_arn: str) -> str | None:
        """Return a dataset's status, or None where there is no such dataset."""

        def look() -> str | None:
            dataset = self.datasets.get(dataset_arn)
            return dataset.status if dataset else None

        return self.simulator.call("comprehend.dataset_status", look)

    def has_dataset(self, kind: DatasetKind) -> bool:
        """Say whether the flywheel holds a usable dataset of a kind."""
        return self.simulator.call("comprehend.has_dataset", lambda: bool(self.complete(kind)))

    def dataset_completed_at(self, dataset_arn: str) -> datetime:
        """Return when a dataset was complete."""
        return self.simulator.call(
            "comprehend.dataset_completed_at",
            lambda: self.datasets[dataset_arn].completed_at or self.simulator.now,
        )

    def start_iteration(self, token: str) -> str | None:
        """Start an iteration; None while another one occupies the flywheel."""

        def start() -> str | None:
            if token in self._tokens:
                return self._tokens[token]
            if self.is_training:
                return None
            self._tokens[token] = self._begin()
            self._report(Effect(self.arn, "start_iteration", token, self._tokens[token]))
            return self._tokens[token]

        return self.simulator.call("comprehend.start_iteration", start, is_repeatable=True)

    def iteration(self, iteration_id: str) -> Iteration:
        """Return one iteration."""

        def look() -> Iteration:
            if iteration_id not in self.history:
                code = "ResourceNotFoundException"
                raise ServiceRefusedError("DescribeFlywheelIteration", code, iteration_id)
            return self.history[iteration_id]

        return self.simulator.call("comprehend.iteration", look)

    def iterations(self) -> Iterator[Iteration]:
        """Give the flywheel's iterations."""
        return iter(
            self.simulator.call("comprehend.iterations", lambda: list(self.history.values()))
        )

    def make_active(self, model_arn: str) -> None:
        """Make a model the active one; a blind write."""

        def update() -> None:
            seen = self._seen.get(self.simulator.process_number, "never")
            self._report(Effect(self.arn, "make_active", model_arn, seen_active=seen))
            self._go_live(model_arn)
            self.simulator.note(f"active model is {model_arn}")

        self.simulator.call("comprehend.make_active", update, is_repeatable=True)

    def model(self, model_arn: str) -> ModelFacts | None:
        """Return a model's status and flywheel, or None where there is no such model."""

        def look() -> ModelFacts | None:
            if model_arn not in self.shared.quality:
                return None
            return ModelFacts("TRAINED", self.arn)

        return self.simulator.call("comprehend.model", look)

    def model_labels(self, model_arn: str, average_f1: float | None) -> ModelLabels:
        """Report no labels: a classifier's description names no confusion matrix."""

        def look() -> ModelLabels:
            raise LabelsUnknownError("DescribeDocumentClassifier names no confusion matrix")

        return self.simulator.call("comprehend.model_labels", look)

    def endpoints(self) -> list[Endpoint]:
        """Return the account's one endpoint, where there is one that follows a flywheel."""

        def look() -> list[Endpoint]:
            followed = self.shared.followed
            return [Endpoint(_ENDPOINT, "IN_SERVICE", None, followed)] if followed else []

        return self.simulator.call("comprehend.endpoints", look)

    def model_in_training(self) -> str | None:
        """Return the model that an iteration trains now, if one does."""
        return self.simulator.call("comprehend.model_in_training", self._model_in_training)

    def stop_training(self, model_arn: str) -> None:
        """Stop a training; its iteration says so when it ends."""

        def stop() -> None:
            if model_arn != self._model_in_training():
                raise ServiceRefusedError("StopTraining", "InvalidRequestException", "it is over")
            self._stopped.add(model_arn)

        self.simulator.call("comprehend.stop_training", stop)

    # What the state machine asks, in the service's own words.

    def describe_dataset(self, arn: str) -> dict[str, Any]:
        """Return the answer to DescribeDataset."""
        return {"DatasetProperties": {"DatasetArn": arn, "Status": self.datasets[arn].status}}

    def describe_iteration(self, iteration_id: str) -> dict[str, Any]:
        """Return the answer to DescribeFlywheelIteration, as far as the state machine reads it."""
        iteration = self.history[iteration_id]
        properties = {"FlywheelIterationId": iteration.id, "Status": iteration.status}
        if iteration.message:
            properties["Message"] = iteration.message
        return {"FlywheelIterationProperties": properties}

    # What people do in the console, and what the service does by itself.

    def begin(self) -> None:
        """Become ACTIVE."""
        self.status = "ACTIVE"
        self.simulator.note(f"{self.arn.rsplit('/', 1)[-1]} is ACTIVE")

    @property
    def is_training(self) -> bool:
        """Whether an iteration occupies the flywheel."""
        return any(item.is_running for item in self.history.values())

    def complete(self, kind: DatasetKind) -> list[MemoryDataset]:
        """Return the COMPLETED datasets of a kind."""
        datasets = self.datasets.values()
        return [item for item in datasets if item.kind is kind and item.status == "COMPLETED"]

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
            self._go_live(self.simulator.chance.choice(models))
            self.simulator.note(f"a person makes {self.active} active")

    def forget_tokens(self) -> None:
        """Store no token; the service does not document how long it stores one."""
        self._tokens.clear()

    def _model_in_training(self) -> str | None:
        models = (item.trained_model for item in self.history.values() if item.is_running)
        return next((model for model in models if model not in self._stopped), None)

    def _report(self, effect: Effect) -> None:
        for watcher in self.shared.watchers:
            watcher(effect)

    def _go_live(self, model: str) -> None:
        self.active = model
        self.shared.were_live.add(model)

    def _create(self, made: MemoryDataset) -> None:
        self.datasets[made.arn] = made
        self.simulator.note(f"dataset {made.arn.rsplit('/', 1)[-1]} is CREATING")
        self.simulator.later(
            self.simulator.chance.choice(_DATASET_SECONDS), lambda: self._ingest(made)
        )

    def _ingest(self, dataset: MemoryDataset) -> None:
        dataset.rows = rows_under(self.staging.objects, dataset.prefix)
        fails = not dataset.rows or self.simulator.happens(self.simulator.rates.dataset_fails)
        dataset.status = "FAILED" if fails else "COMPLETED"
        dataset.completed_at = self.simulator.now + self.simulator.skew
        name = dataset.arn.rsplit("/", 1)[-1]
        self.simulator.note(f"dataset {name} is {dataset.status}, {len(dataset.rows)} rows")

    def _begin(self) -> str:
        number = next(self.shared.numbers)
        begun = new_iteration(number, self.simulator.now + self.simulator.skew, self.active)
        self.history[begun.id] = begun
        trained_on = self.held(DatasetKind.TRAIN).total()
        seconds = self.simulator.chance.choice(_ITERATION_SECONDS)
        self.simulator.later(seconds, lambda: self._end(begun.id, trained_on, seconds))
        self.simulator.note(f"{begun.id} is TRAINING on {trained_on} rows, from {self.active}")
        return begun.id

    def _end(self, iteration_id: str, trained_on: int, seconds: int) -> None:
        running, chance = self.history[iteration_id], self.simulator.chance
        if running.trained_model in self._stopped:
            ended = replace(running, status="STOPPED", seconds=seconds)
        elif self.simulator.happens(self.simulator.rates.iteration_fails):
            status = chance.choice(["FAILED", "STOPPED"])
            message = chance.choice(["", "by chance"])
            ended = replace(running, status=status, message=message, seconds=seconds)
        else:
            model = str(running.trained_model)
            self.shared.quality[model] = min(0.99, 0.45 + trained_on / 120 + chance.random() * 0.15)
            missing = self.simulator.happens(self.simulator.rates.metrics_missing)
            ended = replace(
                running,
                status="COMPLETED",
                seconds=seconds,
                evaluated_metrics=self.shared.metrics(running.evaluated_model),
                trained_metrics=(
                    unusable_metrics(chance) if missing else self.shared.metrics(model)
                ),
            )
            if self.active is None and self.makes_first_active:
                self._go_live(model)
        self.history[iteration_id] = ended
        self.simulator.note(f"{iteration_id} is {ended.status}, {ended.trained_metrics}")

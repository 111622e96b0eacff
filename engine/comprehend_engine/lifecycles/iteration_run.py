"""An iteration's states: TRAINING -> EVALUATING -> COMPLETED, or FAILED, or STOPPED.

Decides the order of the work and its results. Both models are tested on the same documents, so
their metrics are comparable. Knows neither HTTP nor how a model learns. Read next:
`comprehend_engine.lifecycles.iteration_datasets`, `comprehend_engine.training.worker` and
`comprehend_engine.evaluation.model_evaluation`.

Notes
-----
*Source*: developer guide, "Flywheel iterations" and "Testing the model"; AWS CLI example
describe-flywheel-iteration (message, name of the new version, one test set for both models).
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comprehend_engine.api.faults import InjectedFaults
from comprehend_engine.clock import Clock
from comprehend_engine.errors import IterationFailedError, WorkCancelledError
from comprehend_engine.evaluation.model_evaluation import (
    EntityEvaluation,
    ModelEvaluation,
    evaluation_of,
    recognizer_metrics,
)
from comprehend_engine.lifecycles.background_work import BackgroundWork, failure_message
from comprehend_engine.lifecycles.iteration_datasets import (
    IterationDatasets,
    choose_datasets,
    download_datasets,
)
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.data_lake import DataLake
from comprehend_engine.storage.records import FlywheelRecord, IterationRecord, ModelRecord
from comprehend_engine.storage.resource_names import name_of
from comprehend_engine.storage.store import Store
from comprehend_engine.training.worker import TaskData, TrainingWorker

if TYPE_CHECKING:
    from comprehend_engine.storage.data_lake import S3ClientForRole

COMPLETED_MESSAGE = "FULL_ITERATION: Flywheel iteration performed all functions successfully."
"""The service's message for a COMPLETED iteration."""

STOPPED_MESSAGE = "The training of the model was stopped by a call."
"""The message for a STOPPED iteration; the service's own is not published."""

_EvaluatedIteration = tuple[IterationRecord, ModelEvaluation | None, ModelEvaluation]
"""A trained iteration, and the evaluations of champion and challenger."""


@dataclass(frozen=True, slots=True)
class IterationRun:
    """Runs iterations in the background."""

    settings: EngineSettings
    store: Store
    clock: Clock
    background: BackgroundWork
    worker: TrainingWorker
    s3_client_for_role: "S3ClientForRole"
    faults: InjectedFaults = field(default_factory=InjectedFaults)

    def start(self, iteration: IterationRecord) -> None:
        """Start, or restart, an iteration that is recorded as active."""
        name = f"iteration {iteration.iteration_id} of {name_of(iteration.flywheel_arn)}"
        self.background.run(name, lambda: self.run(iteration.key))

    def resume(self) -> None:
        """Restart the iterations that a stop or a kill interrupted."""
        for iteration in self.store.all(IterationRecord):
            if iteration.is_active:
                self.start(iteration)

    def run(self, key: str) -> None:
        """Run an iteration and record its final state."""
        iteration = self.store.find(IterationRecord, key)
        if iteration is None:
            return
        try:
            self._complete(*self._performed(iteration))
        except Exception as error:  # an iteration must not occupy its flywheel forever
            self._fail(iteration, failure_message(error, f"iteration {key}"))

    def _performed(self, iteration: IterationRecord) -> _EvaluatedIteration:
        """Run an iteration in a directory that is removed afterwards, which frees the disk."""
        directory = self._work_directory(iteration)
        # A crash may have left incomplete downloads.
        shutil.rmtree(directory, ignore_errors=True)
        try:
            return self._perform(iteration, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _perform(self, iteration: IterationRecord, directory: Path) -> _EvaluatedIteration:
        self._check_not_stopped(iteration)
        self._inject_faults(iteration)
        flywheel = self._flywheel(iteration)
        datasets = choose_datasets(self.store, self.settings, flywheel)
        lake = DataLake(self.s3_client_for_role, flywheel.data_access_role_arn)
        train_data, test_data = (
            download_datasets(lake, chosen, flywheel, directory, holds_out=datasets.holds_out)
            for chosen in (datasets.train, datasets.test)
        )
        trained = self._train(iteration, datasets, train_data)
        entered = self.clock.now()
        self._save_unless_stopped(trained)
        challenger = self._evaluate(trained.model_arn, flywheel, test_data)
        champion = None
        if trained.evaluated_model_arn:
            champion = self._evaluate(trained.evaluated_model_arn, flywheel, test_data)
        _write_evaluations(lake, trained, datasets, champion, challenger)
        self.background.hold(entered)
        return trained, champion, challenger

    def _inject_faults(self, iteration: IterationRecord) -> None:
        """Fail, or hang until a stop or the removal of the fault, where a test injects that."""
        if fault := self.faults.of_iteration("fail_iteration", iteration.flywheel_arn):
            raise IterationFailedError(fault.message)
        if self.faults.of_iteration("hang_iteration", iteration.flywheel_arn):

            def check() -> None:
                self.background.check_running()
                self._check_not_stopped(iteration)

            self.faults.hang(check)

    def _flywheel(self, iteration: IterationRecord) -> FlywheelRecord:
        flywheel = self.store.find(FlywheelRecord, iteration.flywheel_arn)
        if flywheel is None:
            message = f"Flywheel {iteration.flywheel_arn} is gone."
            raise IterationFailedError(message)
        return flywheel

    def _train(
        self, iteration: IterationRecord, datasets: IterationDatasets, data: TaskData
    ) -> IterationRecord:
        """Train the challenger; return the iteration as EVALUATING."""
        self._change_model(iteration, training_start_time=self.clock.now())
        model_file = self.settings.model_file(iteration.model_arn)
        trained = self.worker.train(data, model_file, seed=self.settings.seed)
        # The state TRAINING began at the call, not when this thread started.
        self.background.hold(iteration.creation_time)
        facts = {
            "training_end_time": self.clock.now(),
            "trained_documents": trained.documents,
            "train_mentions": trained.mentions,
            "train_s3_uris": tuple(item.s3_uri for item in datasets.train),
            "test_s3_uris": () if datasets.holds_out else tuple(i.s3_uri for i in datasets.test),
        }
        self._change_model(iteration, **facts)
        return replace(
            iteration,
            status="EVALUATING",
            is_trained=True,
            train_dataset_arns=tuple(item.arn for item in datasets.train),
        )

    def _evaluate(
        self, model_arn: str, flywheel: FlywheelRecord, data: TaskData
    ) -> ModelEvaluation:
        tested = self.worker.evaluate(data, self.settings.model_file(model_arn))
        evaluation = evaluation_of(flywheel.task, flywheel.labels, tested)
        if not any(score.support for score in evaluation.per_label().values()):
            message = (
                "There are no test documents: the flywheel has no TEST dataset, and no labeled "
                "document of the training data is held out. Add a TEST dataset or more documents."
            )
            raise IterationFailedError(message)
        return evaluation

    def _complete(
        self,
        iteration: IterationRecord,
        champion: ModelEvaluation | None,
        challenger: ModelEvaluation,
    ) -> None:
        now = self.clock.now()
        has_metrics = not self.faults.of_iteration("withhold_metrics", iteration.flywheel_arn)
        completed = replace(
            iteration,
            status="COMPLETED",
            message=COMPLETED_MESSAGE,
            end_time=now,
            evaluated_metrics=champion.averages() if champion and has_metrics else None,
            trained_metrics=challenger.averages() if has_metrics else None,
        )
        facts = {
            "status": "TRAINED",
            "end_time": now,
            "test_documents": challenger.documents,
            "metrics": challenger.model_metrics(),
            "label_metrics": _type_metrics(challenger),
        }
        self._save_completed(completed, facts)

    def _save_completed(self, completed: IterationRecord, facts: Mapping[str, Any]) -> None:
        with self.store.transaction():
            self._save_unless_stopped(completed)
            self._change_model(completed, **facts)
            flywheel = self._flywheel(completed)
            if self.settings.sets_first_active_model and flywheel.active_model_arn is None:
                self.store.save(replace(flywheel, active_model_arn=completed.model_arn))

    def _save_unless_stopped(self, iteration: IterationRecord) -> None:
        with self.store.transaction():
            self._check_not_stopped(iteration)
            self.store.save(iteration)

    def _check_not_stopped(self, iteration: IterationRecord) -> None:
        """Check that no call stopped the training meanwhile.

        Raises
        ------
        WorkCancelledError
            A call did.
        """
        latest = self.store.find(IterationRecord, iteration.key)
        if latest is not None and latest.stop_requested_time is not None:
            message = "A call stopped the training."
            raise WorkCancelledError(message)

    def _fail(self, iteration: IterationRecord, message: str) -> None:
        """End as FAILED, or as STOPPED where a stop was requested."""
        self.background.hold(iteration.creation_time)
        stop_requested = self._end_failed(iteration, message)
        if stop_requested is not None:
            self.background.hold(stop_requested)
            self._end(iteration, "STOPPED", "STOPPED", STOPPED_MESSAGE)

    def _end_failed(self, iteration: IterationRecord, message: str) -> float | None:
        """End as FAILED, unless a stop was requested; return the time of the request."""
        with self.store.transaction():
            latest = self.store.find(IterationRecord, iteration.key) or iteration
            if latest.stop_requested_time is None:
                self._end(latest, "FAILED", "IN_ERROR", message)
            return latest.stop_requested_time

    def _end(
        self, iteration: IterationRecord, status: str, model_status: str, message: str
    ) -> None:
        now = self.clock.now()
        with self.store.transaction():
            latest = self.store.find(IterationRecord, iteration.key) or iteration
            self.store.save(replace(latest, status=status, message=message, end_time=now))
            self._change_model(latest, status=model_status, message=message, end_time=now)

    def _change_model(self, iteration: IterationRecord, **changes: Any) -> None:
        with self.store.transaction():
            model = self.store.find(ModelRecord, iteration.model_arn)
            if model is not None:
                self.store.save(replace(model, **changes))

    def _work_directory(self, iteration: IterationRecord) -> Path:
        name = f"{name_of(iteration.flywheel_arn)}-{iteration.iteration_id}"
        return self.settings.data_directory / "work" / name


def _type_metrics(evaluation: ModelEvaluation) -> dict[str, dict[str, float]] | None:
    """Return the metrics per entity type of DescribeEntityRecognizer; None for classifiers."""
    if not isinstance(evaluation, EntityEvaluation):
        return None
    return {kind: recognizer_metrics(score) for kind, score in evaluation.per_label().items()}


def _write_evaluations(
    lake: DataLake,
    iteration: IterationRecord,
    datasets: IterationDatasets,
    champion: ModelEvaluation | None,
    challenger: ModelEvaluation,
) -> None:
    """Write the metrics per label and the confusion matrix of each model to the data lake."""
    evaluated = {iteration.evaluated_model_arn: champion, iteration.model_arn: challenger}
    for arn, evaluation in evaluated.items():
        if arn is None or evaluation is None:
            continue
        place = f"{iteration.evaluation_s3_uri}{name_of(arn)}/"
        lake.write_document(
            f"{place}evaluation.json",
            {
                "model": arn,
                "role": "trained" if arn == iteration.model_arn else "evaluated",
                "iteration": iteration.iteration_id,
                "testDocuments": evaluation.documents,
                "testDatasets": [item.arn for item in datasets.test],
                "isHoldOut": datasets.holds_out,
                "trainDatasets": [item.arn for item in datasets.train],
                "metrics": evaluation.averages(),
                "labels": {name: asdict(score) for name, score in evaluation.per_label().items()},
            },
        )
        if confusion := evaluation.confusion_document():
            lake.write_document(f"{place}confusion_matrix.json", confusion)

"""The operations that terminate models: stop the training of one, delete one.

Decides when each is allowed, and what prevents a deletion. Classifiers and recognizers share these
rules: an ARN identifies one record. Read next: `comprehend_engine.lifecycles.iteration_run`, which
reacts to a requested stop.

Notes
-----
*Source*: botocore, StopTrainingDocumentClassifier ("put into the STOP_REQUESTED state ... put into
the STOPPED state"), DeleteDocumentClassifier ("Only those classifiers that are in terminated
states", "puts the classifier into a DELETING state"). That the iteration of the model stops with it
is inferred: no other call could make one STOPPED. A model that is not in training stays as it is:
Terraform's provider stops every model before it deletes it, and fails on any error. The error for a
model that cannot be deleted is not documented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comprehend_engine.clock import Clock
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.model_deletion import ModelDeletion
from comprehend_engine.operations.request_checks import requested_resource
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import (
    EndpointRecord,
    FlywheelRecord,
    IterationRecord,
    JobRecord,
    ModelRecord,
)
from comprehend_engine.storage.store import Store
from comprehend_engine.training.worker import TrainingWorker

_TERMINAL = frozenset({"TRAINED", "TRAINED_WITH_WARNING", "IN_ERROR", "STOPPED"})
_STOPPED_ALREADY = frozenset({"STOP_REQUESTED", "STOPPED"})


@dataclass(frozen=True, slots=True)
class ModelTermination:
    """The operations that terminate models; each takes a valid request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    deletion: ModelDeletion
    worker: TrainingWorker

    def stop_training_document_classifier(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StopTrainingDocumentClassifier."""
        return self._stop(request["DocumentClassifierArn"])

    def stop_training_entity_recognizer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StopTrainingEntityRecognizer."""
        return self._stop(request["EntityRecognizerArn"])

    def delete_document_classifier(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteDocumentClassifier."""
        return self._delete(request["DocumentClassifierArn"])

    def delete_entity_recognizer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEntityRecognizer."""
        return self._delete(request["EntityRecognizerArn"])

    def _stop(self, arn: str) -> dict[str, Any]:
        with self.store.transaction():
            model = requested_resource(self.store, ModelRecord, arn)
            iteration = self._iteration_of(model)
            if model.status in _STOPPED_ALREADY or iteration is None:
                return {}
            now = self.clock.now()
            self.store.save(
                replace(model, status="STOP_REQUESTED"),
                replace(iteration, status="STOP_REQUESTED", stop_requested_time=now),
            )
        self.worker.cancel_training(self.settings.model_file(arn))
        return {}

    def _delete(self, arn: str) -> dict[str, Any]:
        with self.store.transaction():
            model = requested_resource(self.store, ModelRecord, arn)
            if model.status not in _TERMINAL:
                allowed = ", ".join(sorted(_TERMINAL))
                message = f"Model {arn} is {model.status}; it must be one of {allowed}."
                raise ServiceError("ResourceUnavailableException", message)
            if users := self._users(arn):
                message = f"Model {arn} is in use: {', '.join(users)}."
                raise ServiceError("ResourceInUseException", message)
            now = self.clock.now()
            deleting = replace(model, status="DELETING", end_time=now)
            self.store.save(deleting)
        self.deletion.start(deleting)
        return {}

    def _users(self, arn: str) -> list[str]:
        """Return the uses of a model that prevent its deletion."""
        flywheels = [
            f"active in {it.arn}" for it in self.store.all(FlywheelRecord) if _serves(it, arn)
        ]
        endpoints = [
            f"endpoint {item.arn}"
            for item in self.store.all(EndpointRecord)
            if arn in (item.model_arn, item.desired_model_arn)
        ]
        jobs = [
            f"job {item.arn}"
            for item in self.store.all(JobRecord)
            if item.is_active and item.model_arn == arn
        ]
        iterations = [
            f"iteration {item.iteration_id} of {item.flywheel_arn}"
            for item in self.store.all(IterationRecord)
            if item.is_active and item.evaluated_model_arn == arn
        ]
        return flywheels + endpoints + jobs + iterations

    def _iteration_of(self, model: ModelRecord) -> IterationRecord | None:
        """Return the iteration that is training a model, if there is one."""
        for iteration in self.store.all(IterationRecord, model.flywheel_arn):
            if iteration.model_arn == model.arn and iteration.is_active:
                return iteration
        return None


def _serves(flywheel: FlywheelRecord, model_arn: str) -> bool:
    return flywheel.active_model_arn == model_arn and flywheel.status != "DELETING"

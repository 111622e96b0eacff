"""The iteration operations: start, describe, list the history.

Decides when an iteration may start, and its id. Knows no documents. Read next:
`comprehend_engine.lifecycles.iteration_run` (what follows).

Notes
-----
*Source*: botocore, StartFlywheelIteration, DescribeFlywheelIteration, ListFlywheelIterationHistory.
StartFlywheelIteration declares no ResourceLimitExceededException, so the account's limit is a
TooManyRequestsException.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comprehend_engine.clock import Clock
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.iteration_run import IterationRun
from comprehend_engine.operations.listing import created_within, multi_member_filter, page
from comprehend_engine.operations.request_checks import (
    check_flywheel_active,
    record_response,
    recorded_response,
    requested_flywheel,
)
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import FlywheelRecord, IterationRecord, ModelRecord
from comprehend_engine.storage.resource_names import (
    evaluation_uri,
    iteration_key,
    new_model_arn,
    stamp,
)
from comprehend_engine.storage.store import Store


@dataclass(frozen=True, slots=True)
class IterationOperations:
    """The operations on iterations; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    running: IterationRun

    def start_flywheel_iteration(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StartFlywheelIteration."""
        arn, operation = request["FlywheelArn"], "StartFlywheelIteration"
        with self.store.transaction():
            flywheel = requested_flywheel(self.store, request)
            iteration_id = recorded_response(self.store, operation, request, parent=arn)
            if iteration_id is None:
                check_flywheel_active(flywheel, operation)
                self._check_room(flywheel)
                iteration = self._new(flywheel)
                iteration_id = iteration.iteration_id
                self.store.save(
                    iteration,
                    _new_model(flywheel, iteration),
                    replace(flywheel, latest_iteration_id=iteration_id),
                )
                record_response(self.store, operation, arn, request, iteration_id)
                self.running.start(iteration)
        return {"FlywheelArn": arn, "FlywheelIterationId": iteration_id}

    def describe_flywheel_iteration(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeFlywheelIteration."""
        requested_flywheel(self.store, request)
        arn, iteration_id = request["FlywheelArn"], request["FlywheelIterationId"]
        iteration = self.store.find(IterationRecord, iteration_key(arn, iteration_id))
        if iteration is None:
            message = f"Flywheel {arn} has no iteration {iteration_id}."
            raise ServiceError("ResourceNotFoundException", message)
        return {"FlywheelIterationProperties": self._properties(iteration)}

    def list_flywheel_iteration_history(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListFlywheelIterationHistory."""
        requested_flywheel(self.store, request)
        chosen = multi_member_filter(request)
        matching = [
            iteration
            for iteration in self.store.all(IterationRecord, request["FlywheelArn"])
            if created_within(chosen, iteration.creation_time)
        ]
        shown, token = page(request, matching, lambda item: (item.creation_time, item.iteration_id))
        return {
            "FlywheelIterationPropertiesList": [self._properties(item) for item in shown],
            "NextToken": token,
        }

    def _properties(self, iteration: IterationRecord) -> dict[str, Any]:
        shows_model = iteration.is_trained or self.settings.shows_model_in_training
        return {
            "FlywheelArn": iteration.flywheel_arn,
            "FlywheelIterationId": iteration.iteration_id,
            "CreationTime": iteration.creation_time,
            "EndTime": iteration.end_time,
            "Status": iteration.status,
            "Message": iteration.message,
            "EvaluatedModelArn": iteration.evaluated_model_arn,
            "EvaluatedModelMetrics": iteration.evaluated_metrics,
            "TrainedModelArn": iteration.model_arn if shows_model else None,
            "TrainedModelMetrics": iteration.trained_metrics,
            "EvaluationManifestS3Prefix": iteration.evaluation_s3_uri,
        }

    def _check_room(self, flywheel: FlywheelRecord) -> None:
        active = [item for item in self.store.all(IterationRecord) if item.is_active]
        for item in active:
            if item.flywheel_arn == flywheel.arn:
                message = f"Iteration {item.iteration_id} of {flywheel.arn} is {item.status}."
                raise ServiceError("ResourceInUseException", message)
        limit = self.settings.quotas.active_iterations
        if len(active) >= limit:
            message = f"The limit of iterations in progress is {limit}."
            raise ServiceError("TooManyRequestsException", message)

    def _new(self, flywheel: FlywheelRecord) -> IterationRecord:
        moment = self._free_moment(flywheel)
        iteration_id = stamp(moment)
        return IterationRecord(
            flywheel_arn=flywheel.arn,
            iteration_id=iteration_id,
            status="TRAINING",
            creation_time=moment,
            model_arn=new_model_arn(self.settings, flywheel.name, flywheel.task),
            evaluation_s3_uri=evaluation_uri(flywheel.data_lake_s3_uri, iteration_id),
            evaluated_model_arn=flywheel.active_model_arn,
        )

    def _free_moment(self, flywheel: FlywheelRecord) -> float:
        """Return now, or the start of the next second in which no iteration has started."""
        used_ids = {item.iteration_id for item in self.store.all(IterationRecord, flywheel.arn)}
        moment = self.clock.now()
        while stamp(moment) in used_ids:
            moment = float(math.floor(moment) + 1)
        return moment


def _new_model(flywheel: FlywheelRecord, iteration: IterationRecord) -> ModelRecord:
    return ModelRecord(
        arn=iteration.model_arn,
        flywheel_arn=flywheel.arn,
        status="TRAINING",
        language_code=flywheel.language_code,
        labels=flywheel.labels,
        task=flywheel.task,
        data_access_role_arn=flywheel.data_access_role_arn,
        submit_time=iteration.creation_time,
        statistics_s3_uri=iteration.evaluation_s3_uri,
        data_security_config=flywheel.data_security_config,
    )

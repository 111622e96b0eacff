"""The flywheel operations: create, describe, update, delete, list.

Decides which flywheels are valid and when one may change. Knows no documents. Read next:
`comprehend_engine.lifecycles.flywheel_lifecycle` (what follows) and
`comprehend_engine.operations.datasets`.

Notes
-----
*Source*: botocore, CreateFlywheel ... ListFlywheels; developer guide, "Flywheel overview" (states
and the calls that each allows) and "Configuring flywheels using the API". CreateFlywheel "Do not
set TaskConfig or ModelType if you specify an ActiveModelArn".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comprehend_engine.clock import Clock
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.endpoint_lifecycle import EndpointLifecycle
from comprehend_engine.lifecycles.flywheel_lifecycle import FlywheelLifecycle
from comprehend_engine.operations.listing import created_within, page, single_member_filter
from comprehend_engine.operations.request_checks import (
    check_flywheel_active,
    check_keys,
    check_quota,
    record_response,
    recorded_response,
    requested_flywheel,
    trained_model,
)
from comprehend_engine.operations.task_config import model_type, requested_task, task_config
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import (
    DatasetRecord,
    FlywheelRecord,
    IterationRecord,
    ModelRecord,
)
from comprehend_engine.storage.resource_names import flywheel_arn, lake_uri
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import LearningTask


@dataclass(frozen=True, slots=True)
class FlywheelOperations:
    """The operations on flywheels; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    lifecycle: FlywheelLifecycle
    endpoints: EndpointLifecycle

    def create_flywheel(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateFlywheel."""
        arn = flywheel_arn(self.settings, request["FlywheelName"])
        with self.store.transaction():
            if recorded_response(self.store, "CreateFlywheel", request) is None:
                flywheel = self._new(arn, request)
                self._check_room(flywheel)
                self.store.save(flywheel)
                record_response(self.store, "CreateFlywheel", arn, request, arn)
                self.lifecycle.create(flywheel)
        return {"FlywheelArn": arn, "ActiveModelArn": request.get("ActiveModelArn")}

    def describe_flywheel(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeFlywheel."""
        return {"FlywheelProperties": _properties(requested_flywheel(self.store, request))}

    def update_flywheel(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateFlywheel: takes effect at once, also while an iteration runs; endpoints follow.

        Members that are left out stay as they are. Members of DataSecurityConfig that are left out
        are removed, except DataLakeKmsKeyId, which cannot change.
        """
        with self.store.transaction():
            flywheel = requested_flywheel(self.store, request)
            check_flywheel_active(flywheel, "UpdateFlywheel")
            check_keys(request)
            if arn := request.get("ActiveModelArn"):
                model = trained_model(
                    self.store, arn, purpose="active", refused_as="InvalidRequestException"
                )
                self._check_fits(flywheel, model)
            changed = replace(
                flywheel,
                active_model_arn=arn or flywheel.active_model_arn,
                data_access_role_arn=request.get(
                    "DataAccessRoleArn", flywheel.data_access_role_arn
                ),
                data_security_config=_updated_security(flywheel, request),
                last_modified_time=self.clock.now(),
            )
            self.store.save(changed)
            if changed.active_model_arn != flywheel.active_model_arn:
                self.endpoints.follow(changed)
        return {"FlywheelProperties": _properties(changed)}

    def delete_flywheel(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteFlywheel; the data lake and the models stay."""
        with self.store.transaction():
            flywheel = requested_flywheel(self.store, request)
            if flywheel.status not in ("ACTIVE", "FAILED"):
                message = f"Flywheel {flywheel.arn} is {flywheel.status}; it must be ACTIVE."
                raise ServiceError("ResourceUnavailableException", message)
            self._check_idle(flywheel)
            deleting = replace(flywheel, status="DELETING", last_modified_time=self.clock.now())
            self.store.save(deleting)
        self.lifecycle.delete(deleting)
        return {}

    def list_flywheels(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListFlywheels."""
        chosen = single_member_filter(request)
        matching = [
            flywheel
            for flywheel in self.store.all(FlywheelRecord)
            if chosen.get("Status", flywheel.status) == flywheel.status
            and created_within(chosen, flywheel.creation_time)
        ]
        shown, token = page(request, matching, lambda item: (item.creation_time, item.arn))
        return {"FlywheelSummaryList": [_summary(item) for item in shown], "NextToken": token}

    def _new(self, arn: str, request: Mapping[str, Any]) -> FlywheelRecord:
        task = self._task(request)
        check_keys(request)
        now = self.clock.now()
        return FlywheelRecord(
            arn=arn,
            name=request["FlywheelName"],
            status="CREATING",
            data_access_role_arn=request["DataAccessRoleArn"],
            data_lake_s3_uri=lake_uri(request["DataLakeS3Uri"], request["FlywheelName"], now),
            language_code=task.language_code,
            labels=task.labels,
            task=task.kind,
            creation_time=now,
            last_modified_time=now,
            active_model_arn=request.get("ActiveModelArn"),
            data_security_config=request.get("DataSecurityConfig"),
        )

    def _task(self, request: Mapping[str, Any]) -> LearningTask:
        """Return the task of a new flywheel: the requested one, or that of its model."""
        if arn := request.get("ActiveModelArn"):
            if "TaskConfig" in request or "ModelType" in request:
                message = "Do not set TaskConfig or ModelType with ActiveModelArn."
                raise ServiceError("InvalidRequestException", message)
            model = trained_model(self.store, arn, purpose="active")
            return LearningTask(model.task, model.language_code, model.labels)
        return requested_task(request)

    def _check_room(self, flywheel: FlywheelRecord) -> None:
        others, quotas = self.store.all(FlywheelRecord), self.settings.quotas
        if any(other.arn == flywheel.arn for other in others):
            message = f"The flywheel name {flywheel.name} is in use: {flywheel.arn}."
            raise ServiceError("ResourceInUseException", message)
        creating = sum(other.status == "CREATING" for other in others)
        check_quota("flywheels of the account", len(others), quotas.flywheels)
        check_quota("flywheels being created", creating, quotas.creating_flywheels)

    def _check_idle(self, flywheel: FlywheelRecord) -> None:
        running = [item for item in self.store.all(IterationRecord, flywheel.arn) if item.is_active]
        creating = [
            item
            for item in self.store.all(DatasetRecord, flywheel.arn)
            if item.status == "CREATING"
        ]
        if running or creating:
            busy = [f"iteration {item.iteration_id} is {item.status}" for item in running]
            busy += [f"dataset {item.name} is CREATING" for item in creating]
            message = f"Flywheel {flywheel.arn} cannot be deleted: {', '.join(busy)}."
            raise ServiceError("ResourceInUseException", message)

    def _check_fits(self, flywheel: FlywheelRecord, model: ModelRecord) -> None:
        has_same_labels = set(model.labels) == set(flywheel.labels)
        has_same_task = (model.task, model.language_code) == (
            flywheel.task,
            flywheel.language_code,
        )
        if not (has_same_task and has_same_labels):
            message = (
                f"Model {model.arn} has another configuration than flywheel {flywheel.arn}: "
                "task, language and labels must be the same."
            )
            raise ServiceError("InvalidRequestException", message)


def _updated_security(
    flywheel: FlywheelRecord, request: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    if "DataSecurityConfig" not in request:
        return flywheel.data_security_config
    stored = flywheel.data_security_config or {}
    lake_key = {name: stored[name] for name in ("DataLakeKmsKeyId",) if name in stored}
    return {**request["DataSecurityConfig"], **lake_key}


def _summary(flywheel: FlywheelRecord) -> dict[str, Any]:
    return {
        "FlywheelArn": flywheel.arn,
        "ActiveModelArn": flywheel.active_model_arn,
        "DataLakeS3Uri": flywheel.data_lake_s3_uri,
        "Status": flywheel.status,
        "ModelType": model_type(flywheel.task),
        "Message": flywheel.message,
        "CreationTime": flywheel.creation_time,
        "LastModifiedTime": flywheel.last_modified_time,
        "LatestFlywheelIteration": flywheel.latest_iteration_id,
    }


def _properties(flywheel: FlywheelRecord) -> dict[str, Any]:
    return {
        **_summary(flywheel),
        "DataAccessRoleArn": flywheel.data_access_role_arn,
        "DataSecurityConfig": flywheel.data_security_config or {},
        "TaskConfig": task_config(
            LearningTask(flywheel.task, flywheel.language_code, flywheel.labels),
            includes_labels=flywheel.status not in ("CREATING", "FAILED"),
        ),
    }

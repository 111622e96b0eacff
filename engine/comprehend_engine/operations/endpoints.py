"""The endpoint operations: create, describe, update, delete, list.

Decides which models an endpoint may serve and when it may change. Read next:
`comprehend_engine.lifecycles.endpoint_lifecycle` (what follows) and
`comprehend_engine.operations.realtime` (its responses).

Notes
-----
*Source*: botocore, CreateEndpoint ... ListEndpoints; developer guide, "Using flywheels for
analysis": UpdateEndpoint with a model's ARN pins an endpoint. No page names the error for a
resource that is not ready. The engine uses ResourceUnavailable, and ResourceInUse for
DeleteEndpoint, which does not declare the former.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comprehend_engine.clock import Clock
from comprehend_engine.errors import ServiceError
from comprehend_engine.lifecycles.endpoint_lifecycle import EndpointLifecycle
from comprehend_engine.operations.listing import created_within, page, single_member_filter
from comprehend_engine.operations.request_checks import (
    check_quota,
    record_response,
    recorded_response,
    requested_resource,
    served_model,
)
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import EndpointRecord
from comprehend_engine.storage.resource_names import endpoint_arn
from comprehend_engine.storage.store import Store

_CHANGES = ("DesiredModelArn", "FlywheelArn", "DesiredInferenceUnits", "DesiredDataAccessRoleArn")


@dataclass(frozen=True, slots=True)
class EndpointOperations:
    """The operations on endpoints; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    clock: Clock
    lifecycle: EndpointLifecycle

    def create_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateEndpoint."""
        with self.store.transaction():
            model_arn = recorded_response(self.store, "CreateEndpoint", request)
            if model_arn is None:
                endpoint = self._new(request)
                model_arn = endpoint.model_arn
                self._check_room(endpoint)
                self.store.save(endpoint)
                record_response(self.store, "CreateEndpoint", endpoint.arn, request, model_arn)
                self.lifecycle.bring_up(endpoint)
        arn = endpoint_arn(self.settings, request["EndpointName"], model_arn)
        return {"EndpointArn": arn, "ModelArn": model_arn}

    def describe_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEndpoint."""
        return {"EndpointProperties": _properties(self._the_endpoint(request))}

    def update_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateEndpoint: members that are left out stay; a model's ARN pins the endpoint to it.

        The new flywheel is returned at once: there is no member for a desired flywheel.
        """
        if not any(name in request for name in _CHANGES):
            message = f"Nothing would change; give one of {', '.join(_CHANGES)}."
            raise ServiceError("InvalidRequestException", message)
        with self.store.transaction():
            endpoint = self._the_endpoint(request)
            if endpoint.status != "IN_SERVICE":
                message = f"Endpoint {endpoint.arn} is {endpoint.status}; it must be IN_SERVICE."
                raise ServiceError("ResourceUnavailableException", message)
            changed = self._changed(endpoint, request)
            self._check_units(changed)
            self.store.save(changed)
            self.lifecycle.bring_up(changed)
        return {"DesiredModelArn": changed.desired_model_arn}

    def delete_endpoint(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEndpoint; its flywheel and model stay."""
        with self.store.transaction():
            endpoint = self._the_endpoint(request)
            if endpoint.status != "IN_SERVICE":
                message = f"Endpoint {endpoint.arn} is {endpoint.status}; it must be IN_SERVICE."
                raise ServiceError("ResourceInUseException", message)
            deleting = replace(endpoint, status="DELETING", last_modified_time=self.clock.now())
            self.store.save(deleting)
        self.lifecycle.delete(deleting)
        return {}

    def list_endpoints(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEndpoints, newest first; it declares no InvalidFilterException."""
        chosen = single_member_filter(request, refused_as="InvalidRequestException")
        matching = [
            endpoint
            for endpoint in self.store.all(EndpointRecord)
            if chosen.get("Status", endpoint.status) == endpoint.status
            and chosen.get("ModelArn", endpoint.model_arn) == endpoint.model_arn
            and created_within(chosen, endpoint.creation_time)
        ]
        shown, token = page(request, matching, lambda item: (item.creation_time, item.arn))
        return {"EndpointPropertiesList": [_properties(item) for item in shown], "NextToken": token}

    def _new(self, request: Mapping[str, Any]) -> EndpointRecord:
        model_arn = served_model(self.store, request, "ModelArn")
        if model_arn is None:
            message = "Give one of ModelArn and FlywheelArn; neither is there."
            raise ServiceError("InvalidRequestException", message)
        now = self.clock.now()
        return EndpointRecord(
            arn=endpoint_arn(self.settings, request["EndpointName"], model_arn),
            name=request["EndpointName"],
            status="CREATING",
            model_arn=model_arn,
            desired_model_arn=model_arn,
            desired_inference_units=request["DesiredInferenceUnits"],
            creation_time=now,
            last_modified_time=now,
            followed_flywheel_arn=request.get("FlywheelArn"),
            data_access_role_arn=request.get("DataAccessRoleArn"),
            desired_data_access_role_arn=request.get("DataAccessRoleArn"),
        )

    def _changed(self, endpoint: EndpointRecord, request: Mapping[str, Any]) -> EndpointRecord:
        model_arn = served_model(self.store, request, "DesiredModelArn")
        self._check_kind(endpoint, model_arn)
        followed = request.get("FlywheelArn") if model_arn else endpoint.followed_flywheel_arn
        return replace(
            endpoint,
            status="UPDATING",
            desired_model_arn=model_arn or endpoint.desired_model_arn,
            desired_inference_units=request.get(
                "DesiredInferenceUnits", endpoint.desired_inference_units
            ),
            desired_data_access_role_arn=request.get(
                "DesiredDataAccessRoleArn", endpoint.desired_data_access_role_arn
            ),
            followed_flywheel_arn=followed,
            last_modified_time=self.clock.now(),
        )

    def _check_kind(self, endpoint: EndpointRecord, model_arn: str | None) -> None:
        """Refuse a recognizer for a classifier's endpoint, and vice versa."""
        if model_arn and endpoint_arn(self.settings, endpoint.name, model_arn) != endpoint.arn:
            message = f"Endpoint {endpoint.arn} cannot serve {model_arn}: it is of another kind."
            raise ServiceError("InvalidRequestException", message)

    def _check_room(self, endpoint: EndpointRecord) -> None:
        others = self.store.all(EndpointRecord)
        if any(other.arn == endpoint.arn for other in others):
            message = f"The endpoint name {endpoint.name} is in use: {endpoint.arn}."
            raise ServiceError("ResourceInUseException", message)
        check_quota("endpoints of the account", len(others), self.settings.quotas.endpoints)
        self._check_units(endpoint)

    def _check_units(self, endpoint: EndpointRecord) -> None:
        quotas, desired = self.settings.quotas, endpoint.desired_inference_units
        others = sum(
            other.desired_inference_units
            for other in self.store.all(EndpointRecord)
            if other.arn != endpoint.arn
        )
        limit = min(quotas.inference_units_per_endpoint, quotas.inference_units - others)
        if desired > limit:
            message = (
                f"{desired} inference units are more than the limit of "
                f"{quotas.inference_units_per_endpoint} per endpoint, or, with {others} of other "
                f"endpoints, than that of {quotas.inference_units} of the account."
            )
            raise ServiceError("ResourceLimitExceededException", message)

    def _the_endpoint(self, request: Mapping[str, Any]) -> EndpointRecord:
        return requested_resource(self.store, EndpointRecord, request["EndpointArn"])


def _properties(endpoint: EndpointRecord) -> dict[str, Any]:
    return {
        "EndpointArn": endpoint.arn,
        "Status": endpoint.status,
        "ModelArn": endpoint.model_arn,
        "DesiredModelArn": endpoint.desired_model_arn,
        "DesiredInferenceUnits": endpoint.desired_inference_units,
        "CurrentInferenceUnits": endpoint.inference_units,
        "CreationTime": endpoint.creation_time,
        "LastModifiedTime": endpoint.last_modified_time,
        "DataAccessRoleArn": endpoint.data_access_role_arn,
        "DesiredDataAccessRoleArn": endpoint.desired_data_access_role_arn,
        "FlywheelArn": endpoint.followed_flywheel_arn,
    }

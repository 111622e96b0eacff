"""An endpoint's states: CREATING or UPDATING -> IN_SERVICE, DELETING -> gone.

Decides when an endpoint's desired values apply, and that it follows its flywheel's active model.
Knows no request. Read next: `comprehend_engine.operations.endpoints`.

Notes
-----
*Source*: developer guide, "Using flywheels for analysis": "the endpoint updates automatically to
start using the new active model version". botocore's EndpointProperties imply that it is UPDATING
meanwhile: they have a DesiredModelArn.
"""

import logging
from dataclasses import dataclass, replace
from functools import partial

from comprehend_engine.clock import Clock
from comprehend_engine.errors import EngineError
from comprehend_engine.inference.worker import InferenceWorker
from comprehend_engine.lifecycles.background_work import BackgroundWork
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import EndpointRecord, FlywheelRecord
from comprehend_engine.storage.store import Store

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointLifecycle:
    """Brings endpoints into service, changes their models and deletes them in the background."""

    store: Store
    clock: Clock
    background: BackgroundWork
    settings: EngineSettings
    inference: InferenceWorker

    def bring_up(self, endpoint: EndpointRecord) -> None:
        """Bring an endpoint that is recorded as CREATING or UPDATING into service."""
        self.background.run(f"bring up {endpoint.name}", lambda: self._bring_up(endpoint))

    def delete(self, endpoint: EndpointRecord) -> None:
        """Delete an endpoint that is recorded as DELETING."""
        self.background.run(f"delete {endpoint.name}", lambda: self._delete(endpoint))

    def follow(self, flywheel: FlywheelRecord) -> None:
        """Change the endpoints that follow a flywheel to its active model; in a transaction."""
        for endpoint in self.store.all(EndpointRecord):
            is_follower = endpoint.followed_flywheel_arn == flywheel.arn
            if is_follower and endpoint.status != "DELETING" and flywheel.active_model_arn:
                changed = replace(
                    endpoint,
                    status="CREATING" if endpoint.status == "CREATING" else "UPDATING",
                    desired_model_arn=flywheel.active_model_arn,
                    last_modified_time=self.clock.now(),
                )
                self.store.save(changed)
                self.bring_up(changed)

    def resume(self) -> None:
        """Restart interrupted work, and load the models in service into memory."""
        for endpoint in self.store.all(EndpointRecord):
            if endpoint.status in ("CREATING", "UPDATING"):
                self.bring_up(endpoint)
            elif endpoint.status == "DELETING":
                self.delete(endpoint)
            else:
                warm = partial(self._warm, endpoint.model_arn)
                self.background.run(f"warm {endpoint.name}", warm)

    def _warm(self, model_arn: str) -> None:
        try:
            self.inference.load(self.settings.model_file(model_arn))
        except EngineError as failure:  # each request to the endpoint gets the error, too
            _LOG.warning("model %s cannot be served: %s", model_arn, failure)

    def _bring_up(self, entered: EndpointRecord) -> None:
        self._warm(entered.desired_model_arn)
        self.background.hold(entered.last_modified_time)
        self._save_served(entered)

    def _save_served(self, entered: EndpointRecord) -> None:
        with self.store.transaction():
            endpoint = self.store.find(EndpointRecord, entered.arn)
            # An endpoint that changed meanwhile has a thread of its own.
            if endpoint != entered:
                return
            self.store.save(
                replace(
                    entered,
                    status="IN_SERVICE",
                    model_arn=entered.desired_model_arn,
                    inference_units=entered.desired_inference_units,
                    data_access_role_arn=entered.desired_data_access_role_arn,
                    last_modified_time=self.clock.now(),
                )
            )

    def _delete(self, entered: EndpointRecord) -> None:
        self.background.hold(entered.last_modified_time)
        self.store.delete(EndpointRecord, entered.arn, scope=f"CreateEndpoint {entered.arn}")

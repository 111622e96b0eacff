"""The engine: it assembles, starts and stops its parts.

Decides the order in which parts start and stop. Each public method of a part that is named like an
operation serves it. Holds no rule of the service. Read next: `comprehend_engine.api.protocol` (how
a call arrives), then the operation's module.
"""

from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from botocore import xform_name

from comprehend_engine.api.fault_control import FaultControl
from comprehend_engine.api.faults import InjectedFaults
from comprehend_engine.api.in_process import attach
from comprehend_engine.api.protocol import (
    Authentication,
    Operation,
    Protocol,
    Refusal,
    comprehend_model,
)
from comprehend_engine.api.server import Server
from comprehend_engine.clock import Clock, SystemClock
from comprehend_engine.inference.worker import InferenceWorker
from comprehend_engine.lifecycles.background_work import BackgroundWork
from comprehend_engine.lifecycles.dataset_ingestion import DatasetIngestion
from comprehend_engine.lifecycles.endpoint_lifecycle import EndpointLifecycle
from comprehend_engine.lifecycles.flywheel_lifecycle import FlywheelLifecycle
from comprehend_engine.lifecycles.iteration_run import IterationRun
from comprehend_engine.lifecycles.job_run import JobRun
from comprehend_engine.lifecycles.model_deletion import ModelDeletion
from comprehend_engine.operations.datasets import DatasetOperations
from comprehend_engine.operations.endpoints import EndpointOperations
from comprehend_engine.operations.flywheels import FlywheelOperations
from comprehend_engine.operations.iterations import IterationOperations
from comprehend_engine.operations.jobs import JobOperations
from comprehend_engine.operations.models import ModelOperations
from comprehend_engine.operations.realtime import RealTimeOperations
from comprehend_engine.operations.tags import TagOperations
from comprehend_engine.settings import EngineSettings, Quotas
from comprehend_engine.storage.data_directory import DataDirectory
from comprehend_engine.storage.store import Store
from comprehend_engine.training.worker import TrainingWorker

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from comprehend_engine.storage.data_lake import S3ClientForRole

__all__ = ["Engine", "EngineSettings", "Quotas"]


_TAGGED_CREATIONS = {
    "CreateFlywheel": "FlywheelArn",
    "CreateDataset": "DatasetArn",
    "CreateEndpoint": "EndpointArn",
    "StartDocumentClassificationJob": "JobArn",
    "StartEntitiesDetectionJob": "JobArn",
}
"""Operations that accept tags, each with the response's member that has the new ARN."""


class Engine:
    """Amazon Comprehend's flywheel API on this machine, with real training.

    Parameters
    ----------
    settings : EngineSettings
        Its account, region, data directory and quotas.
    s3_client_for_role : callable
        Takes a flywheel's data access role ARN, returns an S3 client with that role's rights. It
        is called for each job, from the job's own thread; the engine never closes a client.
    clock : Clock, optional
        The system's by default.
    refusal : callable, optional
        Takes a caller's access key id, an operation and its request; returns why the request is
        refused, or None. Without it every caller may do everything.
    authentication : callable, optional
        Takes a request's method, target, headers and body; returns the code and message of the
        error in its signature, or None. Without it every program on this machine gets an answer,
        signed or not.

    Examples
    --------
    Start it, and call it with boto3::

        with Engine(settings, s3_client_for_role=lambda role_arn: boto3.client("s3")) as engine:
            comprehend = boto3.client("comprehend", endpoint_url=engine.url)
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        s3_client_for_role: "S3ClientForRole",
        clock: Clock | None = None,
        refusal: Refusal | None = None,
        authentication: Authentication | None = None,
    ) -> None:
        self._new_parts = partial(
            _Parts, settings, s3_client_for_role, clock or SystemClock(), refusal, authentication
        )
        self._parts: _Parts | None = None

    @property
    def url(self) -> str:
        """Its address, such as ``http://127.0.0.1:4577``.

        Raises
        ------
        RuntimeError
            It is not started.
        """
        return self._started.server.url

    @property
    def _started(self) -> "_Parts":
        if self._parts is None:
            message = "the engine is not started"
            raise RuntimeError(message)
        return self._parts

    def attach(self, client: "ComprehendClient") -> None:
        """Answer a client's calls in this process, without a connection.

        Raises
        ------
        RuntimeError
            It is not started.
        """
        attach(client, self._started.protocol)

    @property
    def training_process_id(self) -> int | None:
        """The id of the training process; None where none runs."""
        return None if self._parts is None else self._parts.worker.process_id

    @property
    def inference_process_id(self) -> int | None:
        """The id of the inference process of endpoints and jobs; None where none runs yet."""
        return None if self._parts is None else self._parts.inference.process_id

    def start(self) -> None:
        """Start to serve and resume the work that an earlier stop interrupted; return at once.

        Raises
        ------
        OSError
            The port is in use, or the data directory cannot be written or is in use by another
            engine.
        """
        if self._parts is None:
            self._parts = self._new_parts()
            self._parts.start()

    def stop(self) -> None:
        """Stop at once, also during training; nothing acknowledged is lost."""
        if self._parts is not None:
            parts, self._parts = self._parts, None
            parts.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Parts:
    """Everything between one start and one stop."""

    def __init__(
        self,
        settings: EngineSettings,
        s3_client_for_role: "S3ClientForRole",
        clock: Clock,
        refusal: Refusal | None,
        authentication: Authentication | None,
    ) -> None:
        self.directory = DataDirectory(settings.data_directory)
        try:
            self.store = Store(settings.data_directory / "engine.sqlite3")
        except OSError:
            self.directory.release()
            raise
        self.worker = TrainingWorker(settings.data_directory / "training.log")
        self.inference = InferenceWorker(settings.data_directory / "inference.log")
        self.background = BackgroundWork(clock, settings.pace_seconds)
        self.faults = InjectedFaults()
        operations = self._operations(settings, s3_client_for_role, clock)
        control = FaultControl(self.faults if settings.allows_faults else None, operations)
        self.protocol = Protocol(operations, settings.region, refusal, self.faults)
        try:
            self.server = Server(self.protocol, settings.port, control, authentication)
        except OSError:
            self.store.close()
            self.directory.release()
            raise

    def _operations(
        self, settings: EngineSettings, s3_client_for_role: "S3ClientForRole", clock: Clock
    ) -> dict[str, Operation]:
        """Assemble the operations, and the lifecycles that resume work at the start."""
        store, background = self.store, self.background
        ingestion = DatasetIngestion(store, clock, background, settings.quotas, s3_client_for_role)
        flywheels = FlywheelLifecycle(store, clock, background, ingestion)
        endpoints = EndpointLifecycle(store, clock, background, settings, self.inference)
        iterations = IterationRun(
            settings, store, clock, background, self.worker, s3_client_for_role, self.faults
        )
        jobs = JobRun(settings, store, clock, background, self.inference, s3_client_for_role)
        deletion = ModelDeletion(settings, store, background)
        self.lifecycles = (flywheels, iterations, jobs, deletion, endpoints)
        tags = TagOperations(store)
        operations = _served(
            FlywheelOperations(settings, store, clock, flywheels, endpoints),
            DatasetOperations(settings, store, clock, ingestion),
            IterationOperations(settings, store, clock, iterations),
            ModelOperations(settings, store, clock, deletion, self.worker),
            EndpointOperations(settings, store, clock, endpoints),
            RealTimeOperations(settings, store, self.inference),
            JobOperations(settings, store, clock, jobs),
            tags,
        )
        for name, arn_member in _TAGGED_CREATIONS.items():
            operations[name] = tags.creating(operations[name], arn_member)
        return operations

    def start(self) -> None:
        self.worker.warm()
        for lifecycle in self.lifecycles:
            lifecycle.resume()
        self.server.start()

    def stop(self) -> None:
        # Work that is recorded but not done resumes at the next start.
        self.background.request_stop()
        self.faults.stop()
        self.server.stop()
        self.worker.stop()
        self.inference.stop()
        self.background.join()
        self.store.close()
        self.directory.release()


def _served(*parts: object) -> dict[str, Operation]:
    """Name what is served: a method that is called as boto3 calls an operation serves it."""
    names = {xform_name(name): name for name in comprehend_model().operation_names}
    return {
        names[method]: getattr(part, method)
        for part in parts
        for method in dir(part)
        if method in names
    }

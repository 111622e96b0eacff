"""Resumption of work at the start of an engine, after a stop or a kill interrupted it.

Decides which records need more work. Holds no rule of the service. Read next:
`comprehend_engine.engine`, and the module of each resource.
"""

from dataclasses import dataclass

from comprehend_engine.lifecycles.dataset_ingestion import DatasetIngestion
from comprehend_engine.lifecycles.endpoint_lifecycle import EndpointLifecycle
from comprehend_engine.lifecycles.flywheel_lifecycle import FlywheelLifecycle
from comprehend_engine.lifecycles.iteration_run import IterationRun
from comprehend_engine.lifecycles.job_run import JobRun
from comprehend_engine.lifecycles.model_deletion import ModelDeletion
from comprehend_engine.storage.records import (
    DatasetRecord,
    EndpointRecord,
    FlywheelRecord,
    IterationRecord,
    JobRecord,
    ModelRecord,
)
from comprehend_engine.storage.store import Store


@dataclass(frozen=True, slots=True)
class Resumption:
    """Resumes work."""

    store: Store
    flywheels: FlywheelLifecycle
    ingestion: DatasetIngestion
    iterations: IterationRun
    jobs: JobRun
    models: ModelDeletion
    endpoints: EndpointLifecycle

    def resume(self) -> None:
        """Restart all work that was in progress; return at once."""
        self._resume_flywheels_and_datasets()
        self._resume_iterations_jobs_and_models()
        self._resume_endpoints()

    def _resume_flywheels_and_datasets(self) -> None:
        creating = set()
        for flywheel in self.store.all(FlywheelRecord):
            if flywheel.status == "CREATING":
                creating.add(flywheel.arn)
                self.flywheels.create(flywheel)
            elif flywheel.status == "DELETING":
                self.flywheels.delete(flywheel)
        for dataset in self.store.all(DatasetRecord):
            # The creation of a flywheel also ingests its inherited datasets.
            if dataset.status == "CREATING" and dataset.flywheel_arn not in creating:
                self.ingestion.start(dataset)

    def _resume_iterations_jobs_and_models(self) -> None:
        for iteration in self.store.all(IterationRecord):
            if iteration.is_active:
                self.iterations.start(iteration)
        for job in self.store.all(JobRecord):
            if job.is_active:
                self.jobs.start(job)
        for model in self.store.all(ModelRecord):
            if model.status == "DELETING":
                self.models.start(model)

    def _resume_endpoints(self) -> None:
        for endpoint in self.store.all(EndpointRecord):
            if endpoint.status in ("CREATING", "UPDATING"):
                self.endpoints.bring_up(endpoint)
            elif endpoint.status == "DELETING":
                self.endpoints.delete(endpoint)
            else:
                self.endpoints.warm(endpoint)

"""A flywheel's life around its work: CREATING -> ACTIVE or FAILED, DELETING -> gone.

Decides what creation does: nothing for a new model; for an existing one its data comes along.
Knows no request. Read next: `local.comprehend.ingestion`.

Notes
-----
*Source*: developer guide, "Flywheel overview": for an existing model "Comprehend copies the
training and test data"; AWS CLI example list-datasets: the copy is a dataset.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from local.comprehend.background import BackgroundWork
from local.comprehend.clock import Clock
from local.comprehend.ingestion import Ingestion
from local.comprehend.naming import dataset_arn, dataset_uri
from local.comprehend.records import Dataset, Flywheel, Model
from local.comprehend.store import Store


@dataclass(frozen=True, slots=True)
class FlywheelLife:
    """What brings flywheels up and away."""

    store: Store
    clock: Clock
    background: BackgroundWork
    ingestion: Ingestion

    def begin(self, flywheel: Flywheel) -> None:
        """Go on with a flywheel that is recorded as CREATING."""
        self.background.run(f"create {flywheel.name}", lambda: self._create(flywheel.arn))

    def end(self, flywheel: Flywheel) -> None:
        """Go on with a flywheel that is recorded as DELETING."""
        self.background.run(f"delete {flywheel.name}", lambda: self._delete(flywheel.arn))

    def _create(self, arn: str) -> None:
        flywheel = self.store.find(Flywheel, arn)
        if flywheel is None:
            return
        failures = []
        for dataset in self._inherited(flywheel):
            ended = self._ingested(dataset)
            if ended is not None and ended.status == "FAILED":
                failures.append(f"{dataset.name}: {ended.message}")
        self.background.hold(flywheel.creation_time)
        status = "FAILED" if failures else "ACTIVE"
        message = "; ".join(failures) or None
        now = self.clock.now()
        created = replace(flywheel, status=status, message=message, last_modified_time=now)
        self.background.record(lambda: self.store.save(created))

    def _ingested(self, dataset: Dataset) -> Dataset | None:
        self.background.record(lambda: self.store.save(dataset))
        self.ingestion.run(dataset.arn)
        return self.store.find(Dataset, dataset.arn)

    def _inherited(self, flywheel: Flywheel) -> Iterator[Dataset]:
        """Yield the datasets that an existing model brings along."""
        model = self.store.find(Model, flywheel.active_model_arn or "")
        if model is None:
            return
        sources = {"TRAIN": model.train_s3_uris, "TEST": model.test_s3_uris}
        for dataset_type, uris in sources.items():
            if uris:
                name = f"Comprehend-Generated-{dataset_type}"
                yield Dataset(
                    arn=dataset_arn(flywheel.arn, name),
                    flywheel_arn=flywheel.arn,
                    name=name,
                    dataset_type=dataset_type,
                    status="CREATING",
                    source_s3_uris=uris,
                    s3_uri=dataset_uri(flywheel.data_lake_s3_uri, name, flywheel.creation_time),
                    creation_time=flywheel.creation_time,
                    description=f"Dataset created by flywheel creation from {model.arn}"[:2048],
                )

    def _delete(self, arn: str) -> None:
        flywheel = self.store.find(Flywheel, arn)
        # Nothing ends whose DELETING was not kept, as where the disk was full.
        if flywheel is None or flywheel.status != "DELETING":
            return
        self.background.hold(flywheel.last_modified_time)
        self.background.record(lambda: self.store.forget_flywheel(arn))

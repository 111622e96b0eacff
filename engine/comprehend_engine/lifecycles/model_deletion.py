"""A model's last state: DELETING -> gone.

Decides when record and file disappear. Read next: `comprehend_engine.operations.models`, which
checks that a model may be deleted.
"""

from dataclasses import dataclass

from comprehend_engine.lifecycles.background_work import BackgroundWork
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import ModelRecord
from comprehend_engine.storage.store import Store


@dataclass(frozen=True, slots=True)
class ModelDeletion:
    """Deletes models in the background."""

    settings: EngineSettings
    store: Store
    background: BackgroundWork

    def start(self, model: ModelRecord) -> None:
        """Delete a model that is recorded as DELETING."""
        self.background.run(f"delete {model.arn}", lambda: self._delete(model))

    def resume(self) -> None:
        """Restart the deletions that a stop or a kill interrupted."""
        for model in self.store.all(ModelRecord):
            if model.status == "DELETING":
                self.start(model)

    def _delete(self, deleting: ModelRecord) -> None:
        self.background.hold(deleting.end_time or 0.0)
        self.settings.model_file(deleting.arn).unlink(missing_ok=True)
        self.store.delete(ModelRecord, deleting.arn)

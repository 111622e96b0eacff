"""What a function knows of its environment: the resources, and each flywheel's settings.

Read next: `adapters.parameters`, where they come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import ReceivedSettings


@dataclass(frozen=True, slots=True)
class FunctionConfiguration:
    """The resources that functions use; every function gets the same names.

    Parameters
    ----------
    environment : str
        The environment's name, as in notices.
    settings_path : str
        SSM path that holds one parameter a flywheel.
    """

    environment: str
    inbox_bucket: str
    staging_bucket: str
    verdicts_bucket: str
    ledger_table: str
    topic_arn: str
    state_machine_arn: str
    settings_path: str
    uploads_queue_url: str
    notices_due_queue_url: str
    notice_window_seconds: int
    close_batch_function: str
    rebuild_flywheel_function: str
    compare_models_function: str
    change_champion_function: str
    answer_approval_function: str

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> "FunctionConfiguration":
        """Read the configuration from environment variables, its fields in capitals.

        Variables that a function has no use for are left out of its environment and are empty
        here; using an empty one fails at the service with its name in the message.
        """
        given = {field.name: variables.get(field.name.upper(), "") for field in fields(cls)}
        window = int(given.pop("notice_window_seconds") or 0)
        return cls(**given, notice_window_seconds=window)


@dataclass(frozen=True, slots=True)
class KnownFlywheel:
    """A flywheel of this environment: its ARN as deployed, and its settings."""

    arn: str
    settings: ReceivedSettings

    def shape(self, task_config: Callable[[], Mapping[str, Any]]) -> DataFormat:
        """Return what the flywheel's rows are.

        Parameters
        ----------
        task_config : callable
            Asks the service (`FlywheelService.task_config`): it alone knows what an adopted
            flywheel does.
        """
        return self.settings.shape(None if self.settings.task else task_config())

"""What a function knows of its environment: the resources, and each flywheel's settings.

Read next: `adapters.parameters`, where they come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from flywheel.errors import SettingsError
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import ReceivedSettings


@dataclass(frozen=True, slots=True)
class FunctionConfiguration:
    """The resources that functions use.

    Every function knows those without a default. The others are empty for a function that must not
    use them.

    Parameters
    ----------
    environment : str
        The environment's name, as in notices.
    settings_path : str
        SSM path that holds one parameter per flywheel.
    """

    environment: str
    inbox_bucket: str
    staging_bucket: str
    verdicts_bucket: str
    ledger_table: str
    topic_arn: str
    settings_path: str
    notice_window_seconds: int
    state_machine_arn: str = ""
    uploads_queue_url: str = ""
    notices_due_queue_url: str = ""
    close_batch_function: str = ""
    rebuild_flywheel_function: str = ""
    compare_models_function: str = ""
    change_champion_function: str = ""
    answer_approval_function: str = ""

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> "FunctionConfiguration":
        """Read the configuration from environment variables, its fields in capitals.

        Raises
        ------
        SettingsError
            Names each variable that every function needs and that is not set. Whoever deploys the
            function repairs its environment.
        """
        given = {
            field.name: variables[field.name.upper()]
            for field in fields(cls)
            if variables.get(field.name.upper())
        }
        missing = [
            f"{field.name.upper()} is not set"
            for field in fields(cls)
            if field.default is MISSING and field.name not in given
        ]
        if missing:
            raise SettingsError("the function's environment", tuple(missing))
        window = int(given.pop("notice_window_seconds"))
        return cls(**given, notice_window_seconds=window)

    def needed(self, name: str) -> str:
        """Return a resource that not every function knows, by its field's name.

        Raises
        ------
        SettingsError
            This function was not given it.
        """
        value = str(getattr(self, name))
        if not value:
            raise SettingsError("the function's environment", (f"{name.upper()} is not set",))
        return value


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

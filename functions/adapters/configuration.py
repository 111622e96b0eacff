"""What a function is told by its environment, read once and checked.

The environment's variables name resources; each flywheel's settings come as one SSM parameter.
Nothing here is secret: the Slack webhook is read from Secrets Manager by `notify_slack` alone.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from adapters.service_errors import explained
from flywheel.settings.data_format import Shape
from flywheel.settings.environment import ReceivedSettings

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


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

    def shape(self, task_config: Callable[[], Mapping[str, Any]]) -> Shape:
        """Return what the flywheel's rows are.

        Parameters
        ----------
        task_config : callable
            Asks the service (`FlywheelService.task_config`): it alone knows what an adopted
            flywheel does.
        """
        return self.settings.shape(None if self.settings.task else task_config())


@cache
def configuration() -> FunctionConfiguration:
    """Return this process's configuration."""
    return FunctionConfiguration.from_variables(os.environ)


def known_flywheels(ssm: "SSMClient", path: str) -> dict[str, KnownFlywheel]:
    """Return the environment's flywheels by name.

    Parameters
    ----------
    path : str
        As in `FunctionConfiguration.settings_path`.
    """
    with explained("ssm:GetParametersByPath"):
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
        values = [parameter["Value"] for page in pages for parameter in page["Parameters"]]
    documents = [json.loads(value) for value in values]
    known = [
        KnownFlywheel(document["arn"], ReceivedSettings.from_document(document["settings"]))
        for document in documents
    ]
    return {flywheel.settings.name: flywheel for flywheel in known}

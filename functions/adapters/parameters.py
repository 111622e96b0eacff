"""The configuration of a function: environment variables, and one SSM parameter per flywheel.

Nothing here is secret: the Slack webhook is read from Secrets Manager by `notify_slack` alone.
"""

import json
import os
from functools import cache
from typing import TYPE_CHECKING

from adapters.service_errors import translate_aws_errors
from application.configuration import FunctionConfiguration, KnownFlywheel
from flywheel.settings.environment import ReceivedSettings

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


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
    with translate_aws_errors("ssm:GetParametersByPath"):
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
        values = [parameter["Value"] for page in pages for parameter in page["Parameters"]]
    documents = [json.loads(value) for value in values]
    known = [
        KnownFlywheel(document["arn"], ReceivedSettings.from_document(document["settings"]))
        for document in documents
    ]
    return {flywheel.settings.name: flywheel for flywheel in known}

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from adapters.service_errors import translate_aws_errors
from console.errors import CommandError, ExitCode, command_error
from flywheel.errors import (
    BatchNotFoundError,
    ServiceBusyError,
    ServiceRefusedError,
    SettingsError,
)


@pytest.mark.parametrize(
    ("error", "code", "remedy"),
    [
        (SettingsError("dev.toml", ("batch: wrong",)), ExitCode.USAGE, "Repair that file"),
        (ServiceBusyError("s3:PutObject", "SlowDown"), ExitCode.CLOUD, "in a minute"),
        (
            ServiceRefusedError("s3:PutObject", "AccessDenied", "no"),
            ExitCode.CLOUD,
            "Ask for the permission s3:PutObject",
        ),
        (ServiceRefusedError("sts:Get", "ExpiredToken", "old"), ExitCode.CLOUD, "Sign in"),
        (BatchNotFoundError("no batch 9"), ExitCode.USAGE, "See flywheel history"),
        (RuntimeError("odd"), ExitCode.CLOUD, "FLYWHEEL_DEBUG=1"),
    ],
)
def test_an_error_says_what_to_do_when_it_is_told(
    error: Exception, code: ExitCode, remedy: str
) -> None:
    """Whatever went wrong has an exit code and a next step."""
    told = command_error(error)
    assert told.code is code
    assert remedy in told.remedy


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        (NoCredentialsError(), "Sign in to AWS"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "flywheel up"),
    ],
)
def test_the_cause_is_told_when_nothing_was_reached(cause: Exception, remedy: str) -> None:
    """A call that never reached the service is no busy service."""
    with pytest.raises(ServiceBusyError) as busy, translate_aws_errors("sns:Publish"):
        raise cause
    told = command_error(busy.value)
    assert isinstance(told, CommandError)
    assert remedy in told.remedy

"""Tell a service's passing troubles from its refusals.

Step Functions and SQS retry what is busy; what is refused reaches a person.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from flywheel.errors import ServiceBusyError, ServiceRefusedError

BUSY_CODES = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalFailure",
        "InternalServerException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_SERVER_ERROR = 500


@contextmanager
def translate_aws_errors(operation: str) -> Iterator[None]:
    """Turn what boto3 raises inside into this project's errors.

    Parameters
    ----------
    operation : str
        The API operation, for the message.

    Raises
    ------
    ServiceBusyError
        A throttle, a server error or no answer: the same call may be made again.
    ServiceRefusedError
        Anything else that the service answered, its message is passed on; or a request that the
        SDK does not send, which is no better the next time.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in BUSY_CODES or status >= _SERVER_ERROR:
            raise ServiceBusyError(operation, code) from error
        raise ServiceRefusedError(operation, code, error_message(error)) from error
    except ParamValidationError as error:
        raise ServiceRefusedError(operation, "ParamValidation", str(error)) from error
    except BotoCoreError as error:
        raise ServiceBusyError(operation, type(error).__name__) from error


def error_code(error: ClientError) -> str:
    """Return the service's error code."""
    return error.response.get("Error", {}).get("Code", "")


def error_message(error: ClientError) -> str:
    """Return the service's message; Comprehend spells the member with a capital M."""
    answer = error.response.get("Error", {})
    return answer.get("Message") or str(error)

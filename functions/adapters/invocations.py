"""Other functions of the stack, invoked without waiting for their answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.service_errors import explained

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Invocations:
    """Invokes functions of the stack by name."""

    close_batch_function: str
    client: "LambdaClient"

    def close_batch(self, payload: str) -> None:
        """Have CloseBatch run with this event, sometime soon, at least once."""
        with explained("lambda:InvokeFunction"):
            self.client.invoke(
                FunctionName=self.close_batch_function,
                InvocationType="Event",
                Payload=payload.encode(),
            )

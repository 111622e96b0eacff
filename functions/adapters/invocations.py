"""Other functions of the stack, invoked without waiting for their answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.service_errors import translate_aws_errors

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Invocations:
    """Invokes functions of the stack by name."""

    close_batch_function: str
    rebuild_flywheel_function: str
    compare_models_function: str
    change_champion_function: str
    answer_approval_function: str
    client: "LambdaClient"

    def close_batch(self, payload: str) -> None:
        """Have CloseBatch run with this event, sometime soon, at least once."""
        self._invoke(self.close_batch_function, payload)

    def rebuild_flywheel(self, payload: str) -> None:
        """Have RebuildFlywheel run with this event, sometime soon, at least once."""
        self._invoke(self.rebuild_flywheel_function, payload)

    def compare_models(self, payload: str) -> None:
        """Have CompareModels run with this event, sometime soon, at least once."""
        self._invoke(self.compare_models_function, payload)

    def change_champion(self, payload: str) -> None:
        """Have ChangeChampion run with this event, sometime soon, at least once."""
        self._invoke(self.change_champion_function, payload)

    def answer_approval(self, payload: str) -> None:
        """Have AnswerApproval run with this event, sometime soon, at least once."""
        self._invoke(self.answer_approval_function, payload)

    def _invoke(self, function: str, payload: str) -> None:
        with translate_aws_errors("lambda:InvokeFunction"):
            self.client.invoke(
                FunctionName=function, InvocationType="Event", Payload=payload.encode()
            )

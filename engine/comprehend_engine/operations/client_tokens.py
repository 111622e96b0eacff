"""Calls that are repeated with a client token get the answer of the first.

Decides what counts as a repeat. Knows no resource. Read next:
`comprehend_engine.operations.iterations`.

Notes
-----
*Source*: botocore, ClientRequestToken of CreateFlywheel, CreateDataset, CreateEndpoint,
StartFlywheelIteration.
"""

import json
from collections.abc import Mapping
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.storage.store import Store


class ClientTokens:
    """Calls that may be repeated with a client token.

    Parameters
    ----------
    store : Store
        Where tokens are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def recorded_response(
        self, operation: str, request: Mapping[str, Any], *, parent: str = "*"
    ) -> str | None:
        """Return what an equal call with this token was answered, if there was one.

        Parameters
        ----------
        operation : str
            What is called; a token means something only there, whatever is to be made.
        parent : str
            The ARN of the flywheel, where it is made in one; a token means something only there.
        request : mapping
            The whole request.

        Raises
        ------
        ServiceError
            InvalidRequestException: the token was used for a different request.
        """
        token = request.get("ClientRequestToken")
        kept = self._store.response_to_token(f"{operation} {parent}", token) if token else None
        if kept is None:
            return None
        earlier, answer = kept
        if earlier != _canonical(request):
            message = f"ClientRequestToken {token!r} was used for a different request."
            raise ServiceError("InvalidRequestException", message)
        return answer

    def record(self, operation: str, owner: str, request: Mapping[str, Any], answer: str) -> None:
        """Keep what this call was answered, in the transaction that carries it out.

        Parameters
        ----------
        operation : str
            As for `recorded_response`.
        owner : str
            The ARN of the resource with whose end the token ends.
        request : mapping
            The whole request.
        answer : str
            What an equal call is answered.
        """
        if token := request.get("ClientRequestToken"):
            scope = f"{operation} {owner}"
            self._store.save_token(scope, token, _canonical(request), answer)


def _canonical(request: Mapping[str, Any]) -> str:
    return json.dumps(request, sort_keys=True)

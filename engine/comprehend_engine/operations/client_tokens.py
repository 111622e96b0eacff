"""Client tokens: a repeated call gets the response of the first one.

Decides which calls count as repeated. Knows no resource. Read next:
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
    """The client tokens that calls have used.

    Parameters
    ----------
    store : Store
        The store of the tokens.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def recorded_response(
        self, operation: str, request: Mapping[str, Any], *, parent: str = "*"
    ) -> str | None:
        """Return the response to an earlier equal call with this token, if there was one.

        Parameters
        ----------
        operation : str
            The operation; a token is only valid for it.
        parent : str
            The ARN of the flywheel in which the resource is created, if any; a token is only valid
            there.
        request : mapping
            The whole request.

        Raises
        ------
        ServiceError
            InvalidRequestException: the token was used for a different request.
        """
        token = request.get("ClientRequestToken")
        stored = self._store.response_to_token(f"{operation} {parent}", token) if token else None
        if stored is None:
            return None
        earlier_request, response = stored
        if earlier_request != _canonical(request):
            message = f"ClientRequestToken {token!r} was used for a different request."
            raise ServiceError("InvalidRequestException", message)
        return response

    def record(self, operation: str, owner: str, request: Mapping[str, Any], response: str) -> None:
        """Store the response to a call, in the transaction that carries it out.

        Parameters
        ----------
        operation : str
            The operation.
        owner : str
            The ARN of the resource that the token is deleted with.
        request : mapping
            The whole request.
        response : str
            The response to an equal call.
        """
        if token := request.get("ClientRequestToken"):
            scope = f"{operation} {owner}"
            self._store.save_token(scope, token, _canonical(request), response)


def _canonical(request: Mapping[str, Any]) -> str:
    return json.dumps(request, sort_keys=True)

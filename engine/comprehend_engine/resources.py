"""What a request names, or the refusal where it is not there.

Decides that one error alone. Knows no rule of any resource. Read next: `comprehend_engine.store`.
"""

from comprehend_engine.errors import ServiceError
from comprehend_engine.store import R, Store


def resource(store: Store, kind: type[R], arn: str) -> R:
    """Return what is filed under an ARN.

    Raises
    ------
    ServiceError
        ResourceNotFoundException: there is none of this kind.
    """
    found = store.find(kind, arn)
    if found is None:
        message = f"There is no {kind.__name__.lower()} {arn}."
        raise ServiceError("ResourceNotFoundException", message)
    return found

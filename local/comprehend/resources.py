"""What a request names, or the refusal where it is not there.

Decides that one error alone. Knows no rule of any resource. Read next: `local.comprehend.store`.
"""

from local.comprehend.errors import ServiceError
from local.comprehend.store import R, Store


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

"""The KMS keys in a request.

Decides which values have the form of a key; the engine looks no key up and encrypts nothing. Knows
no operation. Read next: `comprehend_engine.operations.flywheels` and
`comprehend_engine.operations.jobs`.

Notes
-----
*Source*: botocore, DataSecurityConfig and OutputDataConfig: a key's id or ARN, or an alias or its
ARN. Its pattern takes any ASCII; KmsKeyValidationException is for "a key that cannot be validated",
as any value of another form.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from comprehend_engine.errors import ServiceError

_MEMBER_END = "KmsKeyId"
_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
_ALIAS = r"alias/[a-zA-Z0-9/_-]+"
_KEY = re.compile(
    rf"({_ID}|{_ALIAS}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{{12}}:(key/({_ID})|{_ALIAS}))"
)


def check_keys(request: Mapping[str, Any]) -> None:
    """Refuse a request with an invalid key.

    Parameters
    ----------
    request : mapping
        A whole request; each member whose name ends with KmsKeyId is checked.

    Raises
    ------
    ServiceError
        KmsKeyValidationException: the message names the member and the valid forms.
    """
    for path, key in _keys(request, ""):
        if not _KEY.fullmatch(key):
            message = (
                f"{path} {key!r} cannot be validated; give the id or the ARN of a KMS key, or an "
                "alias (alias/name) or its ARN."
            )
            raise ServiceError("KmsKeyValidationException", message)


def _keys(members: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{before}{name}.")
        elif name.endswith(_MEMBER_END):
            yield f"{before}{name}", value

"""Who acted, as people read it: the short name of a principal, wherever its ARN stands.

Decides the words only; documents keep the whole ARN.
"""

import re

_PRINCIPAL = re.compile(r"arn:aws[\w-]*:(?:iam|sts)::\d*:(?:[\w+=,.@-]+/)*([\w+=,.@-]*[\w+=@-])")


def with_short_principals(text: str) -> str:
    """Return text with the last part of each principal's ARN in the ARN's place.

    Examples
    --------
    >>> with_short_principals("arn:aws:sts::123456789012:assumed-role/Operator/ann")
    'ann'
    >>> with_short_principals("no (by arn:aws:iam::123456789012:user/ann.lee).")
    'no (by ann.lee).'
    """
    return _PRINCIPAL.sub(r"\1", text)

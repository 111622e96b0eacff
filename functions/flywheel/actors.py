"""Who acts, as the ledger, its audit, notices and logs name them.

A name that a payload gives is *claimed*; one that AWS has confirmed is *verified*. The name says
which of the two it is, wherever it is stored or shown. Functions go by their own name. Read next:
`adapters.caller_identity`, which asks AWS.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from flywheel.errors import UnprovenIdentityError

PROOF = "proof"
"""The field of a payload that proves who sends it; the proof covers all other fields."""

_CLAIM = re.compile(r"[\w+=,.@:/-](?:[\w+=,.@:/ -]{0,98}[\w+=,.@:/-])?")
"""No parentheses of any script, in which a claim could call itself verified, and no controls."""

_MARKED = re.compile(r"(.*?)( \((?:claimed|verified)\))?", re.DOTALL)


def claimed_actor(claim: Any) -> str:
    """Return the name of an actor who gives a name and no proof.

    Parameters
    ----------
    claim : Any
        As in a payload; None where it names no actor.

    Raises
    ------
    UnprovenIdentityError
        The claim is no name.

    Examples
    --------
    >>> claimed_actor("alice")
    'alice (claimed)'
    """
    if claim is None:
        return "somebody unnamed (claimed)"
    if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
        raise UnprovenIdentityError(
            "actor must be a name of at most 100 letters, digits, spaces and any of _+=,.@:/-"
        )
    return f"{claim} (claimed)"


def verified_actor(arn: str) -> str:
    """Return the name of an actor whose identity AWS has confirmed.

    Examples
    --------
    >>> verified_actor("arn:aws:iam::123456789012:user/alice")
    'arn:aws:iam::123456789012:user/alice (verified)'
    """
    return f"{arn} (verified)"


def name_and_mark(actor: str) -> tuple[str, str]:
    """Return a name and how it is known, so that whoever shortens the name keeps the mark.

    Examples
    --------
    >>> name_and_mark("alice (claimed)")
    ('alice', ' (claimed)')
    >>> name_and_mark("CloseBatch")
    ('CloseBatch', '')
    """
    found = _MARKED.fullmatch(actor)
    return (found[1], found[2] or "") if found else (actor, "")


def payload_digest(function: str, payload: Mapping[str, Any]) -> str:
    """Return the hash that a proof covers: which function is invoked, and with which payload.

    A proof of one payload is none of another, nor of the same one for another environment.

    Parameters
    ----------
    function : str
        The name of the function that is invoked; no two of an account and region share it.
    payload : mapping
        With or without its proof.
    """
    content = {name: value for name, value in payload.items() if name != PROOF}
    canonical = json.dumps([function, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

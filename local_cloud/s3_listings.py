"""Adapter of moto.s3: listings are encoded where a client requests it, as boto3 always does.

The gap: a key may have characters that XML cannot, and clients request names in URL encoding
(``EncodingType``). moto encodes only some names of a listing. So one key with a control character
makes every listing of its bucket's versions fail. Decides which names are encoded. Must not know
what is listed.

Notes
-----
*Source*: Amazon S3 API Reference, ListObjects, ListObjectsV2 and ListObjectVersions, EncodingType:
"you specify this request parameter, Amazon S3 includes this element in the response, and returns
encoded key name values in the following response elements".
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response

from local_cloud.patches import Patches

_SERIALIZED = "moto.s3.responses:S3Response.serialized"
_NAMES_LEFT_RAW: Mapping[str, tuple[str, ...]] = {
    "ListObjects": ("Delimiter", "Marker", "NextMarker", "Prefix", "CommonPrefixes"),
    "ListObjectsV2": ("Delimiter", "StartAfter"),
    "ListObjectVersions": (
        *("Delimiter", "KeyMarker", "NextKeyMarker", "Prefix", "CommonPrefixes"),
        *("Versions", "DeleteMarkers"),
    ),
}
"""The members that moto does not encode, by operation: names, and lists of entries with names."""

_NAMES_OF_ENTRIES = ("Key", "Prefix")


def install(patches: Patches) -> None:
    """Encode the names that moto leaves raw."""

    def serialized(response: S3Response, action_result: ActionResult) -> Any:
        is_encoded = response.querystring.get("encoding-type") == ["url"]
        names = _NAMES_LEFT_RAW.get(response.data.get("Action", "")) if is_encoded else None
        if names and isinstance(action_result.result, dict):
            result = {
                name: _encoded(value) if name in names else value
                for name, value in action_result.result.items()
            }
            action_result = ActionResult({**result, "EncodingType": "url"})
        return original(response, action_result)

    original = patches.replace(_SERIALIZED, serialized)


def _encoded(value: Any) -> Any:
    """Encode a name, or the name of each entry of a list."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return [
            {
                name: _encoded(part) if name in _NAMES_OF_ENTRIES else part
                for name, part in each.items()
            }
            for each in value
        ]
    return value

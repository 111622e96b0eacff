"""Adapter of moto.s3.notifications: the EventBridge events of a bucket, as AWS documents them.

The gap: moto sends events while the PUT waits, with one id for all, a number as time, the key
``eTag``, a wrong reason, a constant sequencer, and to every bus. Decides the envelope. Must not
know rules or targets. Read next: event_rules.py.

Notes
-----
*Source*: Amazon S3 User Guide, "EventBridge event message structure" and "Using EventBridge".
"""

import datetime
import itertools
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.s3.notifications import _detail_type

from local_cloud.patches import Patches

_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "s3:ObjectRemoved:Delete": "DeleteObject",
    "s3:ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DELETION_TYPES = {
    "s3:ObjectRemoved:Delete": "Permanently Deleted",
    "s3:ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}
_sequence = itertools.count(time.time_ns())


def install(patches: Patches, publish: Callable[[dict[str, Any]], None]) -> None:
    """Send bucket events to `publish` instead of moto's delivery."""

    def send(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
        publish(
            object_event(account_id, bucket, str(getattr(event_name, "value", event_name)), key)
        )

    patches.replace("moto.s3.notifications:_send_event_bridge_message", send)


def object_event(account_id: str, bucket: Any, event_name: str, key: Any) -> dict[str, Any]:
    """Return the event that S3 sends to EventBridge.

    Parameters
    ----------
    account_id : str
        Owner of the bucket.
    bucket, key : moto's bucket and object
        The subjects of the event.
    event_name : str
        S3's own name, such as ``s3:ObjectCreated:Put``.

    Returns
    -------
    dict
        The whole envelope.
    """
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": _object(bucket, event_name, key),
        "request-id": secrets.token_hex(8).upper(),
        "requester": account_id,
        "source-ip-address": "127.0.0.1",
    }
    if event_name in _REASONS:
        detail["reason"] = _REASONS[event_name]
    if event_name in _DELETION_TYPES:
        detail["deletion-type"] = _DELETION_TYPES[event_name]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": _detail_type(event_name),
        "source": "aws.s3",
        "account": account_id,
        "time": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": detail,
    }


def _object(bucket: Any, event_name: str, key: Any) -> dict[str, Any]:
    document: dict[str, Any] = {"key": key.name}
    if not event_name.startswith("s3:ObjectRemoved"):
        document["size"] = key.size
    document["etag"] = str(getattr(key, "etag", "")).strip('"')
    if bucket.is_versioned and key.version_id:
        document["version-id"] = key.version_id
    document["sequencer"] = f"{next(_sequence):018X}"
    return document

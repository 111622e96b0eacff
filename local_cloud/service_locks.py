"""Adapter of moto's S3, SQS and DynamoDB backends: calls that read and then write are atomic.

The gap: moto serves every request on its own thread and locks nothing. So a conditional put of two
callers succeeds twice, and a queue can lose a message. A failed DynamoDB transaction restores a
copy of the whole table and loses what others wrote meanwhile. Decides which calls wait for each
other. Must not know what they do. Read next: event_rules.py.
"""

import functools
import threading
import time
from typing import Any

from moto.sqs.models import SQSBackend

from local_cloud.background import Background
from local_cloud.patches import Patches, adapted_attribute

_ATOMIC = {
    "dynamodb": ("moto.dynamodb.responses:DynamoHandler.call_action",),
    "s3": (
        "moto.s3.responses:S3Response.put_object",
        "moto.s3.responses:S3Response.delete_object",
        "moto.s3.responses:S3Response.copy_object",
        "moto.s3.models:S3Backend.complete_multipart_upload",
    ),
    "sqs": (
        "moto.sqs.models:SQSBackend.send_message",
        "moto.sqs.models:SQSBackend.delete_message",
        "moto.sqs.models:SQSBackend.change_message_visibility",
        "moto.sqs.models:SQSBackend.purge_queue",
    ),
}
_RECEIVE = "moto.sqs.models:SQSBackend.receive_message"
_POLL_SECONDS = 0.2


def install(patches: Patches, background: Background) -> None:
    """Serialize these calls, with one lock per service."""
    locks = {service: threading.RLock() for service in _ATOMIC}
    for service, addresses in _ATOMIC.items():
        for address in addresses:
            _lock(patches, address, locks[service])

    def receive(
        backend: SQSBackend, queue_name: str, count: int, wait_seconds: float, *rest: Any
    ) -> list[Any]:
        # A long poll must not hold the lock that the sender needs.
        ends_at = time.monotonic() + float(wait_seconds or 0)
        while True:
            with locks["sqs"]:
                messages: list[Any] = original(backend, queue_name, count, 0, *rest)
            left = ends_at - time.monotonic()
            if messages or left <= 0 or background.stopping.is_set():
                return messages
            backend.get_queue(queue_name).wait_for_messages(min(left, _POLL_SECONDS))

    original = patches.replace(_RECEIVE, receive)


def _lock(patches: Patches, address: str, lock: threading.RLock) -> None:
    @functools.wraps(adapted_attribute(address))
    def atomic(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return original(*args, **kwargs)

    original = patches.replace(address, atomic)

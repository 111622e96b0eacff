"""Adapter of moto's event source mappings: Lambda polls queues, batch by batch.

The gap: moto invokes the function while the sender waits, one message at a time, without partial
batch responses; it never retries a failed batch. Decides when a batch is full, which thread handles
it and what happens to its messages. Must not know how a function runs. Read next: lambda_invoke.py.

Notes
-----
*Source*: Lambda Developer Guide, "Using Lambda with Amazon SQS" and "Handling errors for an SQS
event source in Lambda". After a failure AWS leaves messages invisible for the rest of the
queue's visibility time-out; here that time is scaled like every other wait.
"""

import json
import threading
import time
from typing import Any

from moto.awslambda.models import EventSourceMapping
from moto.awslambda.utils import get_backend
from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, sqs_backends

from local_cloud.functions.lambda_environment import InvocationResult
from local_cloud.functions.lambda_invoke import LambdaService
from local_cloud.patches import Patches
from local_cloud.sessions import Sessions
from local_cloud.settings import CloudSettings

_IDLE_SECONDS = 1.0
_MOST_MESSAGES_RECEIVED = 10
_REPORT = "ReportBatchItemFailures"


class QueuePollers:
    """All event source mappings of a cloud."""

    def __init__(
        self, settings: CloudSettings, sessions: Sessions, functions: LambdaService
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._functions = functions
        self._pollers: list[QueuePoller] = []

    def install(self, patches: Patches) -> None:
        """Poll for every mapping that is created, and scale message delays."""
        settings = self._settings

        def create(backend: Any, spec: dict[str, Any]) -> EventSourceMapping:
            mapping = original_create(backend, spec)
            self.add(mapping)
            return mapping

        def delay(message: Message, delay_seconds: float) -> None:
            message.delayed_until = unix_time_millis() + settings.scaled(delay_seconds) * 1000

        original_create = patches.replace(
            "moto.awslambda.models:LambdaBackend.create_event_source_mapping", create
        )
        patches.replace("moto.sqs.models:Message.delay", delay)

    def add(self, mapping: EventSourceMapping) -> None:
        """Start polling for a mapping."""
        queues = sqs_backends[self._settings.account_id][self._settings.region].queues
        queue = queues[mapping.event_source_arn.split(":")[-1]]
        # moto would push to every mapping that the queue knows.
        queue.lambda_event_source_mappings.clear()
        poller = QueuePoller(self._settings, self._sessions, self._functions, mapping, queue)
        self._pollers.append(poller)

    def stop(self) -> None:
        """Stop polling; a batch in flight completes or fails first."""
        for poller in self._pollers:
            poller.signal_stop()
        for poller in self._pollers:
            poller.join()


class QueuePoller:
    """Polls one queue for one function, with as many threads as batches may run at once."""

    def __init__(
        self,
        settings: CloudSettings,
        sessions: Sessions,
        functions: LambdaService,
        mapping: EventSourceMapping,
        queue: Queue,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._functions = functions
        self._mapping = mapping
        self._queue = queue
        self._queue_url = f"{sessions.endpoint('sqs')}/{settings.account_id}/{queue.name}"
        self._receiving = threading.Lock()
        self._is_stopping = False
        most = (mapping.scaling_config or {}).get("MaximumConcurrency")
        count = min(int(most or 1000), settings.environments_per_function)
        self._threads = [
            threading.Thread(target=self._run, name=f"poll-{queue.name}", daemon=True)
            for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def signal_stop(self) -> None:
        """Request the end of the threads."""
        self._is_stopping = True
        with self._queue._messages_lock:
            self._queue._messages_lock.notify_all()

    def join(self) -> None:
        """Wait for the threads."""
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while self._is_active():
            with self._receiving:
                batch = self._next_batch()
            if batch:
                self._handle(batch)

    def _is_active(self) -> bool:
        backend = get_backend(self._settings.account_id, self._settings.region)
        exists = backend.get_event_source_mapping(self._mapping.uuid) is not None
        return exists and not self._is_stopping

    def _next_batch(self) -> list[dict[str, Any]]:
        if not self._wait_for_messages(_IDLE_SECONDS) or not self._mapping.enabled:
            return []
        batch = self._receive(self._mapping.batch_size)
        window = self._settings.scaled(float(self._mapping.max_batch_window or 0))
        closes_at = time.monotonic() + window
        while batch and len(batch) < self._mapping.batch_size:
            left = closes_at - time.monotonic()
            if left <= 0 or not self._wait_for_messages(left):
                break
            batch += self._receive(self._mapping.batch_size - len(batch))
        return batch

    def _wait_for_messages(self, seconds: float) -> bool:
        """Wait until a message is visible; a delayed or failed one becomes so by itself."""
        ends_at = time.monotonic() + seconds
        with self._queue._messages_lock:
            while not self._queue.messages and not self._is_stopping:
                left = min(ends_at - time.monotonic(), _until_visible(self._queue))
                if left <= 0:
                    break
                self._queue._messages_lock.wait(left)
        return bool(self._queue.messages) and not self._is_stopping

    def _receive(self, wanted: int) -> list[dict[str, Any]]:
        answer = self._client().receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(wanted, _MOST_MESSAGES_RECEIVED),
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _handle(self, batch: list[dict[str, Any]]) -> None:
        records = [_record(message, self._mapping, self._settings) for message in batch]
        payload = json.dumps({"Records": records}).encode()
        try:
            result = self._functions.invoke(self._function(), payload)
        except RuntimeError:
            if not self._is_stopping:
                self._make_visible_later({message["ReceiptHandle"] for message in batch})
            return
        failed = self._failed_ids(result, batch)
        done = [message for message in batch if message["MessageId"] not in failed]
        for first in range(0, len(done), _MOST_MESSAGES_RECEIVED):
            part = done[first : first + _MOST_MESSAGES_RECEIVED]
            self._client().delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(part)
                ],
            )
        self._make_visible_later(
            {message["ReceiptHandle"] for message in batch if message["MessageId"] in failed}
        )

    def _failed_ids(self, result: InvocationResult, batch: list[dict[str, Any]]) -> set[str]:
        everything = {message["MessageId"] for message in batch}
        if result.is_error:
            return everything
        if _REPORT not in (self._mapping.function_response_types or []):
            return set()
        try:
            answer = json.loads(result.payload) or {}
            items = answer.get("batchItemFailures") or []
            failed = {item["itemIdentifier"] for item in items}
        except (ValueError, AttributeError, KeyError, TypeError):
            return everything
        return failed if failed <= everything else everything

    def _make_visible_later(self, receipt_handles: set[str]) -> None:
        with self._queue._messages_lock:
            now = unix_time_millis()
            for message in self._queue._messages:
                if message.receipt_handle in receipt_handles:
                    # The function may have changed the time-out of its message.
                    left_seconds = max(message.visible_at - now, 0.0) / 1000
                    message.visible_at = now + self._settings.scaled(left_seconds) * 1000
            self._queue._messages_lock.notify_all()

    def _function(self) -> Any:
        backend = get_backend(self._settings.account_id, self._settings.region)
        return backend.get_function(self._mapping.function_arn)

    def _client(self) -> Any:
        function = self._function()
        return self._sessions.client(
            "sqs", role_arn=function.role, session_name=function.function_name
        )


def _until_visible(queue: Queue) -> float:
    moments = [max(message.visible_at, message.delayed_until) for message in list(queue._messages)]
    if not moments:
        return _IDLE_SECONDS
    return max(float(min(moments) - unix_time_millis()) / 1000, 0.0) + 0.002


def _record(
    message: dict[str, Any], mapping: EventSourceMapping, settings: CloudSettings
) -> dict[str, Any]:
    attributes = {
        name: {
            "stringValue": value.get("StringValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.event_source_arn,
        "awsRegion": settings.region,
    }

"""The real-time operations: classify a document, detect entities, at a custom model's endpoint.

Decides which requests are valid and the form of the responses. Knows no model. Read next:
`comprehend_engine.inference.worker`.

Notes
-----
*Source*: botocore, ClassifyDocument, DetectEntities ("uses the language of your custom model, and
it ignores any language code"); developer guide, "Guidelines and quotas" (10 KB, 5 KB) and the
samples of both responses, which have three classes of a multi-class model. The error for a missing
endpoint is not documented; neither operation declares ResourceNotFound. According to botocore, the
response to plain text in Bytes is that to the same Text, with the members of its one page.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comprehend_engine.errors import EngineError, ServiceError
from comprehend_engine.inference.worker import InferenceWorker, entity_entries, label_entries
from comprehend_engine.settings import EngineSettings
from comprehend_engine.storage.records import EndpointRecord, ModelRecord
from comprehend_engine.storage.store import Store
from comprehend_engine.tasks import MULTI_LABEL

_SERVING = ("IN_SERVICE", "UPDATING")
# A PDF can be pure ASCII; other kinds of files are not UTF-8.
_FILE_SIGNATURES = (b"%PDF",)


@dataclass(frozen=True, slots=True)
class RealTimeOperations:
    """The operations at endpoints; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    inference: InferenceWorker

    def classify_document(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ClassifyDocument: Classes of a multi-class model, Labels of a multi-label one."""
        text = _requested_text(request, self.settings.quotas.max_classified_text_bytes)
        model = self._served(request["EndpointArn"])
        is_multi_label = model.task == MULTI_LABEL
        most = None if is_multi_label else self.settings.returned_classes
        try:
            (labels,) = self.inference.classify(
                self.settings.model_file(model.arn), [text], most=most
            )
        except EngineError as failure:
            raise ServiceError("ResourceUnavailableException", str(failure)) from failure
        member = "Labels" if is_multi_label else "Classes"
        page = {"Page": 1} if "Bytes" in request else {}
        return {member: label_entries(labels, **page), **_document(request, text)}

    def detect_entities(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DetectEntities, at the endpoint of a custom recognizer alone."""
        if "EndpointArn" not in request:
            message = (
                "Give the EndpointArn of a custom recognizer; the engine serves no other model."
            )
            raise ServiceError("InvalidRequestException", message)
        text = _requested_text(request, self.settings.quotas.max_detected_text_bytes)
        model = self._served(request["EndpointArn"])
        try:
            (mentions,) = self.inference.detect(self.settings.model_file(model.arn), [text])
        except EngineError as failure:
            raise ServiceError("ResourceUnavailableException", str(failure)) from failure
        return {"Entities": entity_entries(text, mentions), **_document(request, text)}

    def _served(self, arn: str) -> ModelRecord:
        """Return the model that an endpoint serves now; while it is UPDATING, the previous one."""
        endpoint = self.store.find(EndpointRecord, arn)
        if endpoint is None:
            raise ServiceError("ResourceUnavailableException", f"There is no endpoint {arn}.")
        model = self.store.find(ModelRecord, endpoint.model_arn)
        if endpoint.status not in _SERVING or model is None:
            message = f"Endpoint {arn} is {endpoint.status}; it must be IN_SERVICE."
            raise ServiceError("ResourceUnavailableException", message)
        return model


def _document(request: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the members that describe a document in Bytes: one page of plain text."""
    if "Bytes" not in request:
        return {}
    characters = [{"Page": 1, "Count": len(text)}]
    return {
        "DocumentMetadata": {"Pages": 1, "ExtractedCharacters": characters},
        "DocumentType": [{"Page": 1, "Type": "PLAIN_TEXT"}],
    }


def _requested_text(request: Mapping[str, Any], most_bytes: int) -> str:
    """Return the text of a request, from Text or Bytes.

    Raises
    ------
    ServiceError
        InvalidRequestException: neither is there, or both are, or Bytes have no plain text.
        TextSizeLimitExceededException: it is too long.
    """
    is_file = "Bytes" in request
    if ("Text" in request) == is_file or ("DocumentReaderConfig" in request and not is_file):
        message = (
            "Give the document in Text or in Bytes, and a DocumentReaderConfig only with Bytes."
        )
        raise ServiceError("InvalidRequestException", message)
    content = request["Text"].encode() if "Text" in request else _decoded(request["Bytes"])
    if len(content) > most_bytes:
        message = (
            "Input text size exceeds limit. Max length of request text allowed is "
            f"{most_bytes} bytes while in this request the text size is {len(content)} bytes"
        )
        raise ServiceError("TextSizeLimitExceededException", message)
    text = None if content.startswith(_FILE_SIGNATURES) else _as_text(content)
    if not text:
        message = "Bytes must be plain text in UTF-8; the engine reads no other files."
        raise ServiceError("InvalidRequestException", message)
    return text


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        message = f"Bytes are not valid base64: {error}."
        raise ServiceError("InvalidRequestException", message) from error


def _as_text(content: bytes) -> str | None:
    """Return a document in UTF-8 as text; None for any other, such as an image."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text

"""The real-time operations: classify a document, detect entities, at a custom model's endpoint.

Decides what may be asked and how an answer is told. Knows no model. Read next:
`local.comprehend.inference_worker`.

Notes
-----
*Source*: botocore, ClassifyDocument, DetectEntities ("uses the language of your custom model, and
it ignores any language code"); developer guide, "Guidelines and quotas" (10 KB, 5 KB) and the
samples of both answers, which tell three classes of a multi-class model. Which error tells of an
endpoint that is not there is not said; neither operation declares ResourceNotFound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.comprehend.errors import EngineError, ServiceError
from local.comprehend.inference_worker import InferenceWorker
from local.comprehend.records import Endpoint, Model
from local.comprehend.settings import EngineSettings
from local.comprehend.store import Store
from local.comprehend.tasks import MULTI_LABEL

_SERVING = ("IN_SERVICE", "UPDATING")
_NOT_SERVED = ("Bytes", "DocumentReaderConfig")


@dataclass(frozen=True, slots=True)
class RealTimeOperations:
    """The operations at endpoints; each takes a validated request and returns a response."""

    settings: EngineSettings
    store: Store
    inference: InferenceWorker

    def classify_document(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ClassifyDocument: Classes of a multi-class model, Labels of a multi-label one."""
        text = _text(request, self.settings.quotas.max_classified_text_bytes)
        model = self._served(request["EndpointArn"])
        is_multi_label = model.task == MULTI_LABEL
        most = None if is_multi_label else self.settings.told_classes
        try:
            (labels,) = self.inference.classify(
                self.settings.model_file(model.arn), [text], most=most
            )
        except EngineError as failure:
            raise ServiceError("ResourceUnavailableException", str(failure)) from failure
        member = "Labels" if is_multi_label else "Classes"
        return {member: [{"Name": name, "Score": score} for name, score in labels]}

    def detect_entities(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DetectEntities, at the endpoint of a custom recognizer alone."""
        if "EndpointArn" not in request:
            message = "Give the EndpointArn of a custom recognizer; no other model is served here."
            raise ServiceError("InvalidRequestException", message)
        text = _text(request, self.settings.quotas.max_detected_text_bytes)
        model = self._served(request["EndpointArn"])
        try:
            (mentions,) = self.inference.detect(self.settings.model_file(model.arn), [text])
        except EngineError as failure:
            raise ServiceError("ResourceUnavailableException", str(failure)) from failure
        return {"Entities": [entity(text, mention) for mention in mentions]}

    def _served(self, arn: str) -> Model:
        """Return the model that an endpoint serves now: while it is UPDATING, the former one."""
        endpoint = self.store.find(Endpoint, arn)
        if endpoint is None:
            raise ServiceError("ResourceUnavailableException", f"There is no endpoint {arn}.")
        model = self.store.find(Model, endpoint.model_arn)
        if endpoint.status not in _SERVING or model is None:
            message = f"Endpoint {arn} is {endpoint.status}; it must be IN_SERVICE."
            raise ServiceError("ResourceUnavailableException", message)
        return model


def entity(text: str, mention: tuple[int, int, str, float]) -> dict[str, Any]:
    """Tell a mention as the service does; offsets are characters, the end is exclusive."""
    begin, end, kind, score = mention
    return {
        "Score": score,
        "Type": kind,
        "Text": text[begin:end],
        "BeginOffset": begin,
        "EndOffset": end,
    }


def _text(request: Mapping[str, Any], most_bytes: int) -> str:
    """Return a request's text, or refuse what is not plain text, or too long."""
    others = [name for name in _NOT_SERVED if name in request]
    if others or "Text" not in request:
        given = f"The request has {', '.join(others)}" if others else "The request has no Text"
        message = f"{given}; served here is plain text, in Text."
        raise ServiceError("InvalidRequestException", message)
    text: str = request["Text"]
    size = len(text.encode())
    if size > most_bytes:
        message = f"Text has {size} bytes; the limit is {most_bytes}."
        raise ServiceError("TextSizeLimitExceededException", message)
    return text

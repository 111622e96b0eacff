"""Delivery of EventBridge's events to a target.

Decides the target's input, the call, and its retries. Must not know how rules are stored or
matched. Read next: event_rules.py.

Notes
-----
*Source*: EventBridge User Guide, "Amazon EventBridge input transformation" and "How EventBridge
retries delivering events". AWS retries for a day; here the attempts are few, and then the rule's
dead-letter queue receives the event.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from moto.awslambda.utils import get_backend

from local_cloud.background import Background
from local_cloud.functions.lambda_invoke import LambdaService
from local_cloud.sessions import Sessions
from local_cloud.settings import CloudSettings

_MOST_ATTEMPTS = 4
_RETRY_SECONDS = 10.0
# The policies of these resources allow the delivery; for others the target's role does.
_RESOURCE_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
}
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")


def target_input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """Return the input of a target for an event.

    Parameters
    ----------
    target : dict
        As PutTargets takes it.
    event : dict
        The whole envelope.

    Returns
    -------
    str
        The event itself, its part at InputPath, the constant Input, or the filled
        InputTransformer.

    Examples
    --------
    >>> event = {"detail": {"key": "a.csv", "size": 3}}
    >>> target_input({"InputPath": "$.detail"}, event)
    '{"key": "a.csv", "size": 3}'
    >>> target_input({"InputTransformer": {"InputPathsMap": {"k": "$.detail.key"},
    ...     "InputTemplate": '{"file": <k>, "text": "got <k>"}'}}, event)
    '{"file": "a.csv", "text": "got a.csv"}'
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_value_at(target["InputPath"], event))
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event)
    return json.dumps(event)


class EventTargets:
    """Delivers events to queues, functions, state machines and topics.

    Parameters
    ----------
    settings : CloudSettings
        The scale of retry delays.
    sessions : Sessions
        Clients to deliver with.
    background : Background
        Ends waits when the cloud stops.
    functions : LambdaService
        Invokes functions.
    is_permitted : callable
        Takes action, target and rule; returns whether the target's policy lets the rule use it.
    """

    def __init__(
        self,
        settings: CloudSettings,
        sessions: Sessions,
        background: Background,
        functions: LambdaService,
        is_permitted: Callable[[str, str, str], bool],
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._background = background
        self._functions = functions
        self._is_permitted = is_permitted

    def deliver(self, rule_arn: str, target: dict[str, Any], event: dict[str, Any]) -> None:
        """Send an event to a target, with retries, and finally to its dead-letter queue."""
        retries = int((target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", 185))
        attempts = min(retries + 1, _MOST_ATTEMPTS)
        body = target_input(target, event)
        for attempt in range(1, attempts + 1):
            try:
                self._send(rule_arn, target, body)
                return
            except Exception as error:  # every error of the target's service is a failure
                if attempt == attempts:
                    self._give_up(rule_arn, target, event, error)
                    return
            if self._background.wait(self._settings.scaled(_RETRY_SECONDS)):
                return

    def _send(self, rule_arn: str, target: dict[str, Any], body: str) -> None:
        arn = target["Arn"]
        service = arn.split(":")[2]
        role_arn = target.get("RoleArn", "")
        action = _RESOURCE_ACTIONS.get(service)
        if action and not self._is_permitted(action, arn, rule_arn):
            raise PermissionError(f"the policy of {arn} does not let {rule_arn} use it")
        if service == "sqs":
            self._send_to_queue(arn, body, target.get("SqsParameters") or {})
        elif service == "lambda":
            backend = get_backend(self._settings.account_id, self._settings.region)
            self._functions.invoke_later(backend.get_function(arn), body.encode())
        elif service == "states":
            states = self._sessions.client(
                "stepfunctions", role_arn=role_arn, session_name="events"
            )
            states.start_execution(stateMachineArn=arn, input=body)
        elif service == "sns":
            self._sessions.client("sns").publish(TopicArn=arn, Message=body)
        else:
            raise ValueError(f"events are not delivered to {arn}")

    def _send_to_queue(self, arn: str, body: str, parameters: dict[str, Any]) -> None:
        group = parameters.get("MessageGroupId")
        extra = {"MessageGroupId": group} if group else {}
        self._sessions.client("sqs").send_message(
            QueueUrl=self._sessions.queue_url(arn), MessageBody=body, **extra
        )

    def _give_up(
        self, rule_arn: str, target: dict[str, Any], event: dict[str, Any], error: Exception
    ) -> None:
        queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue_arn:
            raise error
        texts = {
            "RULE_ARN": rule_arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": type(error).__name__,
            "ERROR_MESSAGE": str(error)[:1000],
        }
        self._sessions.client("sqs").send_message(
            QueueUrl=self._sessions.queue_url(queue_arn),
            MessageBody=json.dumps(event),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
            },
        )


def _value_at(path: str, event: dict[str, Any]) -> Any:
    value: Any = event
    for part in path.removeprefix("$").strip(".").split("."):
        if not part:
            continue
        name, *indexes = re.split(r"[\[\]]+", part.rstrip("]"))
        value = value.get(name) if isinstance(value, dict) else None
        for index in indexes:
            value = value[int(index)] if isinstance(value, list) else None
    return value


def _transformed(transformer: dict[str, Any], event: dict[str, Any]) -> str:
    paths = transformer.get("InputPathsMap") or {}
    values = {name: _value_at(path, event) for name, path in paths.items()}
    values["aws.events.event.json"] = event
    values["aws.events.event"] = event
    template: str = transformer["InputTemplate"]
    filled: list[str] = []
    position = 0
    for placeholder in _PLACEHOLDER.finditer(template):
        name = placeholder[1]
        if name not in values:
            continue
        before = template[position : placeholder.start()]
        filled.append(before)
        # Inside a quoted string a text is inserted as it is; elsewhere it gets quotes of its own.
        is_quoted = _quotes("".join(filled)) % 2 == 1
        value = values[name]
        as_text = value if isinstance(value, str) else json.dumps(value)
        filled.append(json.dumps(as_text)[1:-1] if is_quoted else json.dumps(value))
        position = placeholder.end()
    return "".join(filled) + template[position:]


def _quotes(text: str) -> int:
    return text.replace("\\\\", "").replace('\\"', "").count('"')

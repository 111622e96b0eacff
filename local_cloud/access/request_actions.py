"""The permissions that an AWS request needs: actions, and the ARNs that they are on.

Decides this only from the HTTP request, as the services define it. Must not know the caller or what
is allowed. Read next: s3_actions.py and dynamodb_actions.py, then authorization.py.

Notes
-----
*Source*: Service Authorization Reference, "Actions, resources, and condition keys" of each
service.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from local_cloud.access.dynamodb_actions import dynamodb_permissions
from local_cloud.access.s3_actions import s3_permissions
from local_cloud.settings import CloudSettings

# Not a condition key of AWS: the task token of a SendTask request, which names no state machine.
TASK_TOKEN = "local:taskToken"


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one resource, with the condition keys of the request.

    A key has one value, or a list where AWS defines it as multivalued.
    """

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CloudRequest:
    """An HTTP request to an AWS service.

    Parameters
    ----------
    service : str
        Name in the signature's scope, such as ``states``.
    method, path : str
        As sent; the path without query.
    query : dict
        Parameters of the URL.
    headers : mapping
        Names in lower case.
    body : bytes
        The whole body; that of an upload to S3 may be left out.
    """

    service: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


def permissions_of(request: CloudRequest, settings: CloudSettings) -> list[Permission]:
    """Return the permissions that a caller needs for a request."""
    if request.service == "s3":
        return [Permission(*needed) for needed in s3_permissions(request)]
    if request.service == "lambda":
        return [_lambda_permission(request, settings)]
    operation, parameters = _operation(request)
    return permissions_of_operation(request.service, operation, parameters, settings)


def permissions_of_operation(
    service: str, operation: str, parameters: dict[str, Any], settings: CloudSettings
) -> list[Permission]:
    """Return the permissions for an operation of a service with an RPC protocol.

    Parameters
    ----------
    service : str
        IAM's prefix for the service.
    operation : str
        Such as ``PutItem``.
    parameters : dict
        The request's document.
    settings : CloudSettings
        Account and region of the resources.
    """
    build = _SERVICES.get(service, _on_everything)
    return build(f"{service}:{operation}", parameters, f"{settings.region}:{settings.account_id}")


def _operation(request: CloudRequest) -> tuple[str, dict[str, Any]]:
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2], json.loads(request.body or b"{}")
    if "/operation/" in request.path:
        return request.path.rpartition("/")[2], {}
    form = parse_qs(request.body.decode()) or request.query
    parameters: dict[str, Any] = {name: values[0] for name, values in form.items()}
    return str(parameters.pop("Action", "Unknown")), parameters


def _lambda_permission(request: CloudRequest, settings: CloudSettings) -> Permission:
    parts = [unquote(part) for part in request.path.split("/") if part]
    name = parts[2] if len(parts) > 2 else "*"  # noqa: PLR2004 - version, "functions", name
    home = f"arn:aws:lambda:{settings.region}:{settings.account_id}:function"
    arn = name if name.startswith("arn:") else f"{home}:{name}"
    is_call = parts[-1] in ("invocations", "invoke-async")
    verb = "InvokeFunction" if is_call else f"{request.method.title()}Function"
    return Permission(f"lambda:{verb}", arn)


def _on_everything(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    return [Permission(action, "*")]


def _dynamodb(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    return [Permission(*needed) for needed in dynamodb_permissions(action, parameters, place)]


def _sqs(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    name = parameters.get("QueueUrl", "").rpartition("/")[2] or parameters.get("QueueName", "")
    resource = f"arn:aws:sqs:{place}:{name}" if name else "*"
    return [Permission(action.removesuffix("Batch"), resource)]


def _sns(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    names = ("TopicArn", "TargetArn", "ResourceArn")
    resource = next((parameters[name] for name in names if name in parameters), "*")
    return [Permission(action.removesuffix("Batch"), resource)]


_COMPREHEND_RESOURCES = (
    "FlywheelArn",
    "DatasetArn",
    "EndpointArn",
    "DocumentClassifierArn",
    "EntityRecognizerArn",
    "ResourceArn",
)


_JOBS = {
    "DocumentClassificationJob": "document-classification-job",
    "EntitiesDetectionJob": "entities-detection-job",
}
"""Kinds of jobs, by the ends of their operations' names; a request only has a job's id."""


def _first_arn(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    arns = [
        value
        for name, value in parameters.items()
        if name.endswith(("Arn", "arn")) and isinstance(value, str) and not _is_role(value)
    ]
    return [Permission(action, arns[0] if arns else "*")]


def _comprehend(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    new_names = {"FlywheelName": "flywheel", "EndpointName": "document-classifier-endpoint"}
    arns = [
        f"arn:aws:comprehend:{place}:{kind}/{parameters[name]}"
        for name, kind in new_names.items()
        if name in parameters
    ]
    arns += [parameters[name] for name in _COMPREHEND_RESOURCES if name in parameters]
    job = next((kind for name, kind in _JOBS.items() if name in action), None)
    if job is not None and not action.startswith("comprehend:List"):
        arns.append(f"arn:aws:comprehend:{place}:{job}/{parameters.get('JobId', 'new')}")
    # To bind an endpoint to a flywheel, or a job to a model, a caller needs both.
    is_binding = job is not None or action in (
        "comprehend:CreateEndpoint",
        "comprehend:UpdateEndpoint",
    )
    needed = [Permission(action, arn) for arn in (arns if is_binding else arns[:1])]
    needed = needed or [Permission(action, "*")]
    role_arn = parameters.get("DataAccessRoleArn", parameters.get("DesiredDataAccessRoleArn"))
    if role_arn:
        context = {"iam:PassedToService": "comprehend.amazonaws.com"}
        needed.append(Permission("iam:PassRole", role_arn, context))
    return needed


def _states(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    if "taskToken" in parameters:
        return [Permission(action, "*", {TASK_TOKEN: parameters["taskToken"]})]
    return _first_arn(action, parameters, place)


def _ssm(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    named = [parameters[name] for name in ("Name", "Path") if name in parameters]
    names = [*parameters.get("Names", []), *named]
    home = f"arn:aws:ssm:{place}:parameter"
    arns = [name if name.startswith("arn:") else f"{home}/{name.lstrip('/')}" for name in names]
    return [Permission(action, arn) for arn in arns or ["*"]]


def _secrets(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    name = parameters.get("SecretId", parameters.get("Name", "*"))
    # A secret's ARN ends in six characters, which a role cannot know in advance.
    is_arn = name.startswith("arn:")
    resource = name if is_arn else f"arn:aws:secretsmanager:{place}:secret:{name}-AAAAAA"
    return [Permission(action, resource)]


def _events(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    if action == "events:PutEvents":
        buses = {entry.get("EventBusName", "default") for entry in parameters["Entries"]}
        return [Permission(action, f"arn:aws:events:{place}:event-bus/{bus}") for bus in buses]
    name = parameters.get("Rule", parameters.get("Name"))
    return [Permission(action, f"arn:aws:events:{place}:rule/{name}" if name else "*")]


def _logs(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    name = parameters.get("logGroupName")
    resource = f"arn:aws:logs:{place}:log-group:{name}:*" if name else "*"
    return [Permission(action, parameters.get("logGroupIdentifier", resource))]


def _cloudformation(action: str, parameters: dict[str, Any], place: str) -> list[Permission]:
    name = parameters.get("StackName")
    if name is None or name.startswith("arn:"):
        return [Permission(action, name or "*")]
    # A stack's ARN ends in an id, which a policy cannot know in advance.
    return [Permission(action, f"arn:aws:cloudformation:{place}:stack/{name}/id")]


def _is_role(arn: str) -> bool:
    return arn.split(":")[2:3] == ["iam"]


_SERVICES: dict[str, Callable[[str, dict[str, Any], str], list[Permission]]] = {
    "cloudformation": _cloudformation,
    "comprehend": _comprehend,
    "dynamodb": _dynamodb,
    "events": _events,
    "logs": _logs,
    "secretsmanager": _secrets,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "states": _states,
}

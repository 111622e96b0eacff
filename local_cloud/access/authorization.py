"""Authorization of a caller: by the caller's own policies, and by those of the resource.

Decides allow or deny as IAM does within one account: a denial anywhere wins, otherwise one
permission is enough, otherwise no. Records each decision about a role or service. Must not know
HTTP. Read next: policy_statements.py, which evaluates one statement, and iam_enforcement.py.

Notes
-----
*Source*: IAM User Guide, "How AWS enforcement code logic evaluates requests". Not evaluated
locally: permission boundaries, session policies, key policies of KMS, organizations.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.sts.models import sts_backends

from local_cloud.access.policy_statements import evaluate
from local_cloud.access.request_actions import TASK_TOKEN, Permission
from local_cloud.sessions import Credentials
from local_cloud.settings import CloudSettings

_ALWAYS_ALLOWED = "sts:GetCallerIdentity"


@dataclass(frozen=True, slots=True)
class AccessDecision:
    """A permission that a role or service needed, and whether it has it."""

    caller: str
    action: str
    resource: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """The signer of a request: a role's session, or the operator."""

    arn: str
    role_name: str
    role_arn: str


OPERATOR_CALLER = Caller("operator", "", "")


class Authorization:
    """Authorizes requests and records the decisions.

    Parameters
    ----------
    settings : CloudSettings
        Account and region of the resources.
    operator : Credentials
        The credentials of the person who started the cloud, and who may do everything.
    """

    def __init__(self, settings: CloudSettings, operator: Credentials) -> None:
        self._settings = settings
        self._operator = operator
        self._lock = threading.Lock()
        self._decisions: dict[AccessDecision, None] = {}

    def decisions(self) -> tuple[AccessDecision, ...]:
        """Return every distinct decision about a role or service, oldest first."""
        with self._lock:
            return tuple(self._decisions)

    def credentials(self, access_key_id: str) -> Credentials | None:
        """Return the credentials with an access key id; None for one that was never issued."""
        if access_key_id == self._operator.access_key_id:
            return self._operator
        session = self._role_session(access_key_id)
        if session is None:
            return None
        return Credentials(access_key_id, session.secret_access_key, session.session_token)

    def caller(self, access_key_id: str) -> Caller | None:
        """Return the caller with an access key id; None for one that was never issued."""
        if access_key_id == self._operator.access_key_id:
            return OPERATOR_CALLER
        session = self._role_session(access_key_id)
        if session is None:
            return None
        role_name = session.role_arn.rpartition("/")[2]
        account = self._settings.account_id
        arn = f"arn:aws:sts::{account}:assumed-role/{role_name}/{session.session_name}"
        return Caller(arn, role_name, session.role_arn)

    def refusal(self, caller: Caller, permissions: Iterable[Permission]) -> str | None:
        """Return why a caller lacks one of these permissions; None where it has them all."""
        for needed in permissions:
            if problem := self._problem(caller, needed):
                return (
                    f"User: {caller.arn} is not authorized to perform: {needed.action} "
                    f"on resource: {needed.resource} {problem}"
                )
        return None

    def service_is_allowed(
        self, principal: str, action: str, resource: str, source_arn: str
    ) -> bool:
        """Return whether the policy of a resource lets an AWS service use it.

        Parameters
        ----------
        principal : str
            Such as ``events.amazonaws.com``.
        action, resource : str
            The action and the ARN that it is on.
        source_arn : str
            The rule or topic on whose behalf the service acts.
        """
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": self._settings.account_id}
        needed = Permission(action, resource, context)
        results = _results(self._resource_statements(resource), needed, principal)
        return self._recorded(principal, needed, results)

    def _problem(self, caller: Caller, needed: Permission) -> str:
        """Return why a caller lacks a permission; empty where it has it."""
        if caller is OPERATOR_CALLER:
            # Only the policy of a resource can deny something to the operator.
            statements = self._resource_statements(needed.resource)
            is_denied = PermissionResult.DENIED in _results(statements, needed, caller.arn)
            return "with an explicit deny in its policy" if is_denied else ""
        if needed.action == _ALWAYS_ALLOWED:
            return ""
        needed = replace(needed, resource=self._known_resource(needed))
        results = _results(self._statements(caller), needed, None)
        results |= _results(self._resource_statements(needed.resource), needed, caller.role_arn)
        is_allowed = self._recorded(caller.role_name, needed, results)
        return "" if is_allowed else "because no policy allows it"

    def _recorded(self, caller: str, needed: Permission, results: Set[PermissionResult]) -> bool:
        """Decide by the results of all statements, and record the decision."""
        is_allowed = (
            PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results
        )
        decision = AccessDecision(caller, needed.action, needed.resource, is_allowed)
        with self._lock:
            self._decisions.setdefault(decision)
        return is_allowed

    def _role_session(self, access_key_id: str) -> Any:
        backend = sts_backends[self._settings.account_id]["aws"]
        return backend.get_assumed_role_from_access_key(access_key_id)

    def _statements(self, caller: Caller) -> list[Mapping[str, Any]]:
        iam = iam_backends[self._settings.account_id]["aws"]
        if not any(role.name == caller.role_name for role in iam.roles.values()):
            return []
        documents = [
            iam.get_role_policy(caller.role_name, name)[1]
            for name in iam.list_role_policies(caller.role_name)
        ]
        for policy in iam.list_attached_role_policies(caller.role_name)[0]:
            documents += [version.document for version in policy.versions if version.is_default]
        return [statement for document in documents for statement in _parsed(document)]

    def _resource_statements(self, resource: str) -> list[Mapping[str, Any]]:
        parts = resource.split(":", 5)
        service = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - arn:partition:service
        find = {"s3": self._bucket_policy, "sqs": self._queue_policy, "sns": self._topic_policy}
        if service == "lambda":
            return self._function_statements(resource)
        document = find[service](resource) if service in find else None
        return list(_parsed(document)) if document else []

    def _bucket_policy(self, resource: str) -> Any:
        name = resource.rpartition(":::")[2].partition("/")[0]
        bucket = s3_backends[self._settings.account_id]["aws"].buckets.get(name)
        return bucket.policy if bucket else None

    def _queue_policy(self, resource: str) -> Any:
        backend = sqs_backends[self._settings.account_id][self._settings.region]
        queue = backend.queues.get(resource.rpartition(":")[2])
        return queue.policy if queue else None

    def _topic_policy(self, resource: str) -> Any:
        backend = sns_backends[self._settings.account_id][self._settings.region]
        topic = backend.topics.get(resource)
        return topic.policy if topic else None

    def _function_statements(self, resource: str) -> list[Mapping[str, Any]]:
        backend = lambda_backends[self._settings.account_id][self._settings.region]
        name = resource.split(":")[6]
        return [
            {key: value for key, value in statement.items() if key != "Resource"}
            for function in backend.list_functions()
            if function.function_name == name
            for statement in function.policy.statements
        ]

    def _known_resource(self, needed: Permission) -> str:
        """Return the state machine of a task token, which a SendTask request does not name."""
        token = needed.context.get(TASK_TOKEN)
        if token is None:
            return needed.resource
        backend = stepfunctions_parser_backends[self._settings.account_id][self._settings.region]
        for machine in backend.state_machines:
            for execution in machine.executions:
                environment = execution.exec_worker and execution.exec_worker.env
                if environment and environment.callback_pool_manager.get(token):
                    return str(machine.arn)
        return needed.resource


def _results(
    statements: Iterable[Mapping[str, Any]], needed: Permission, principal: str | None
) -> set[PermissionResult]:
    return {
        evaluate(
            statement,
            action=needed.action,
            resource=needed.resource,
            principal=principal,
            context=needed.context,
        )
        for statement in statements
    }


@lru_cache(maxsize=1024)
def _parsed_text(document: str) -> tuple[Mapping[str, Any], ...]:
    statements = json.loads(document).get("Statement", [])
    return tuple(statements if isinstance(statements, list) else [statements])


def _parsed(document: Any) -> tuple[Mapping[str, Any], ...]:
    if isinstance(document, dict):
        document = json.dumps(document)
    return _parsed_text(document.decode() if isinstance(document, bytes) else document)

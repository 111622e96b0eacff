"""A cloud on one machine: moto's services, real Lambda processes, and our Comprehend engine.

Decides the order in which the parts start and stop. Each part is one file that adapts one module of
moto; its docstring names the gap. Must not know our stack, our functions or Comprehend. Read next:
deployment.py, which deploys a stack; then lambda_runtime.py, event_rules.py, queue_poller.py and
step_functions.py, which run it.

Examples
--------
>>> from pathlib import Path
>>> with Cloud(CloudSettings()) as cloud:  # doctest: +SKIP
...     outputs = cloud.deploy(Path("cdk.out"))
...     cloud.client("s3").put_object(Bucket=outputs["Inbox"], Key="a.csv", Body=b"x,y")
"""

import os
import shutil
import tempfile
import threading
from contextlib import ExitStack
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from local_cloud import (
    dynamodb_transactions,
    s3_listings,
    service_locks,
)
from local_cloud.access import (
    iam_enforcement,
)
from local_cloud.access.authorization import AccessDecision, Authorization
from local_cloud.access.iam_enforcement import IamEnforcement
from local_cloud.access.refusals import json_code
from local_cloud.access.request_actions import permissions_of_operation
from local_cloud.access.request_gate import RequestGate
from local_cloud.access.signatures import ReceivedRequest, RefusedRequestError, verified_signer
from local_cloud.background import Background
from local_cloud.deployment import deploy
from local_cloud.errors import CloudBusyError
from local_cloud.events import s3_events
from local_cloud.events.event_rules import EventRules
from local_cloud.events.event_targets import EventTargets
from local_cloud.events.queue_poller import QueuePollers
from local_cloud.events.schedules import Schedules
from local_cloud.forwarding import Forwarding
from local_cloud.functions.lambda_invoke import LambdaService
from local_cloud.patches import Patches
from local_cloud.server import CloudServer
from local_cloud.sessions import Sessions, new_operator
from local_cloud.settings import CloudSettings
from local_cloud.stack import completed_resources, stack_updates
from local_cloud.stack.stack_resources import StackTypes
from local_cloud.step_functions import StateMachines

__all__ = ["Cloud", "CloudSettings"]


class Cloud:
    """One local cloud; at most one runs in a process.

    Parameters
    ----------
    settings : CloudSettings
        Port, account, speed of time and the rest.
    """

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, settings: CloudSettings | None = None) -> None:
        self.settings = settings or CloudSettings()
        self._is_started = False

    def start(self) -> Self:
        """Start every service.

        Raises
        ------
        CloudBusyError
            Another cloud runs in this process.
        AdapterMismatchError
            The installed moto lacks an attribute that an adapter replaces.
        """
        if not Cloud._running.acquire(blocking=False):
            raise CloudBusyError
        self._cleanup = ExitStack()
        self._cleanup.callback(Cloud._running.release)
        try:
            self._start_services()
        except BaseException:
            self._cleanup.close()
            raise
        self._is_started = True
        return self

    def stop(self) -> None:
        """Stop every service, process and thread, and drop all state; repeatable."""
        if not self._is_started:
            return
        self._is_started = False
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Endpoint of every service but Comprehend."""
        return self._url

    def client(self, service: str) -> Any:
        """Return a boto3 client with the operator's credentials.

        Parameters
        ----------
        service : str
            boto3's name of the service; ``comprehend`` goes to the engine.
        """
        return self._sessions.client(service)

    def client_for_role(self, service: str, role_arn: str, session_name: str = "local") -> Any:
        """Return a boto3 client with a role's credentials."""
        return self._sessions.client(service, role_arn=role_arn, session_name=session_name)

    def s3_client_for_role(self, role_arn: str) -> Any:
        """Return an S3 client as Comprehend has it when it assumes a data access role."""
        return self.client_for_role("s3", role_arn, "comprehend")

    def environment(self) -> dict[str, str]:
        """Return the variables that make the AWS SDKs and commands use this cloud."""
        region = self.settings.region
        variables = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": self._operator.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self._operator.secret_access_key,
        }
        if self.settings.comprehend_url:
            variables["AWS_ENDPOINT_URL_COMPREHEND"] = self.settings.comprehend_url
        return variables

    def deploy(self, cdk_out: Path) -> dict[str, str]:
        """Deploy a synthesized app as the CDK command would.

        Parameters
        ----------
        cdk_out : Path
            Folder of the cloud assembly.

        Returns
        -------
        dict of str to str
            The stacks' outputs.

        Raises
        ------
        TemplateRefusedError
            The template uses a type or property that would be left out.
        DeploymentError
            A resource cannot be created; the message names it and the reason.
        """
        outputs = deploy(cdk_out, self.settings, self._sessions, self._failures)
        self._functions.warm_up()
        return outputs

    def decisions(self) -> tuple[AccessDecision, ...]:
        """Return the permissions that roles and services needed, and whether they have them."""
        return self._authorization.decisions()

    def signature_fault(
        self, method: str, target: str, headers: Message, body: bytes
    ) -> tuple[str, str] | None:
        """Verify the signature of a request that another server received.

        Parameters
        ----------
        method, target : str
            As sent; the target is path and query.
        headers : Message
        body : bytes

        Returns
        -------
        tuple of (str, str) or None
            Code and message of the refusal; None where the signature is valid.
        """
        request = ReceivedRequest(method, target, tuple(headers.items()), body)
        try:
            verified_signer(request, self._authorization.credentials)
        except RefusedRequestError as error:
            return json_code(error.code), str(error)
        return None

    def refusal(
        self, access_key_id: str, service: str, operation: str, parameters: dict[str, Any]
    ) -> str | None:
        """Authorize a request that another server, such as the Comprehend engine, received.

        Parameters
        ----------
        access_key_id : str
            The key in the request's signature.
        service, operation : str
            Such as ``comprehend`` and ``UpdateFlywheel``.
        parameters : dict
            The request's document.

        Returns
        -------
        str or None
            The message of an AccessDeniedException; None where the request is allowed.
        """
        caller = self._authorization.caller(access_key_id)
        if caller is None:
            return "The security token included in the request is invalid."
        needed = permissions_of_operation(service, operation, parameters, self.settings)
        return self._authorization.refusal(caller, needed)

    def _guarded(self, application: Any) -> Any:
        application = IamEnforcement(application, self.settings, self._authorization)
        engine = self.settings.comprehend_url
        if engine:
            application = Forwarding(application, {"comprehend": engine})
        return RequestGate(application, self._authorization.credentials)

    def _rule_is_permitted(self, action: str, target_arn: str, rule_arn: str) -> bool:
        return self._authorization.service_is_allowed(
            "events.amazonaws.com", action, target_arn, rule_arn
        )

    def _start_services(self) -> None:
        # What is registered last ends first: the sources of work stop before the workers.
        settings, cleanup = self.settings, self._cleanup.callback
        self._patches = Patches()
        cleanup(self._patches.undo)
        directory = _function_directory(settings)
        cleanup(shutil.rmtree, directory, ignore_errors=True)
        self._operator = new_operator()
        self._authorization = Authorization(settings, self._operator)
        listener = CloudServer(settings.port, self._patches, self._guarded)
        cleanup(listener.stop)
        self._url = listener.url
        self._sessions = Sessions(settings, self._url, self._operator)
        cleanup(self._sessions.close)
        background = Background()
        functions = LambdaService(settings, self._sessions, background, directory)
        self._functions = functions
        machines = StateMachines(settings, self._sessions, background)
        cleanup(machines.join)
        cleanup(background.stop)
        pollers = QueuePollers(settings, self._sessions, functions)
        cleanup(pollers.stop)
        cleanup(functions.runtime.stop)
        targets = EventTargets(
            settings, self._sessions, background, functions, self._rule_is_permitted
        )
        rules = EventRules(settings, background, targets)
        self._failures: list[tuple[str, str]] = []
        self._install(functions, machines, pollers, rules, background)
        cleanup(machines.stop)
        schedules = Schedules(settings, rules)
        schedules.start()
        cleanup(schedules.stop)
        cleanup(background.stopping.set)

    def _install(
        self,
        functions: LambdaService,
        machines: StateMachines,
        pollers: QueuePollers,
        rules: EventRules,
        background: Background,
    ) -> None:
        patches = self._patches
        # moto reads the account from this variable, whatever key a request is signed with.
        patches.replace_item(os.environ, "MOTO_ACCOUNT_ID", self.settings.account_id)
        service_locks.install(patches, background)
        dynamodb_transactions.install(patches)
        functions.install(patches)
        s3_events.install(patches, rules.publish)
        s3_listings.install(patches)
        rules.install(patches)
        pollers.install(patches)
        machines.install(patches)
        iam_enforcement.install(patches, self._authorization)
        types = StackTypes(self.settings, self._sessions, background)
        completed_resources.install(patches, types, self._failures)
        stack_updates.install(patches)


def _function_directory(settings: CloudSettings) -> Path:
    if settings.data_directory is not None:
        settings.data_directory.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="functions-", dir=settings.data_directory))

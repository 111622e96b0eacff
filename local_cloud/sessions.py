"""boto3 clients of the local cloud: as the operator, or as a role.

Decides the endpoint and the credentials of a client. Clients are shared, because a new one costs
many milliseconds, and are all closed at stop. Must not know what is called. Read next: cloud.py.
"""

import secrets
import string
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from moto.sts.models import sts_backends

from local_cloud.settings import CloudSettings

_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"


@lru_cache(maxsize=1)
def _shared_loader() -> Loader:
    # Of a new client's cost, reading the models of the services is the largest part.
    return create_loader()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials that sign a request; the token is empty for the operator."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


def new_operator() -> Credentials:
    """Return random credentials, in the form of an IAM user's."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
    return Credentials(f"AKIA{key_id}", secrets.token_urlsafe(30))


class Sessions:
    """Creates, shares and closes the boto3 clients of one local cloud.

    Parameters
    ----------
    settings : CloudSettings
        Has region and Comprehend's endpoint.
    url : str
        Endpoint of every other service.
    operator : Credentials
        The credentials of the person who started the cloud.
    """

    def __init__(self, settings: CloudSettings, url: str, operator: Credentials) -> None:
        self._settings = settings
        self._operator = operator
        self._url = url
        botocore_session = botocore.session.get_session()
        botocore_session.register_component("data_loader", _shared_loader())
        self._session = boto3.Session(
            region_name=settings.region, botocore_session=botocore_session
        )
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._roles: dict[tuple[str, str], Credentials] = {}

    def client(self, service: str, *, role_arn: str = "", session_name: str = "local") -> Any:
        """Return the shared client for a service.

        Parameters
        ----------
        service : str
            boto3's name of the service.
        role_arn : str
            The role to assume; empty for the operator.
        session_name : str
            The name of the role's session, which logs and refusals show.
        """
        with self._lock:
            key = (service, role_arn, session_name)
            if key not in self._clients:
                credentials = (
                    self.credentials(role_arn, session_name) if role_arn else self._operator
                )
                self._clients[key] = self._new_client(service, credentials)
            return self._clients[key]

    def credentials(self, role_arn: str, session_name: str) -> Credentials:
        """Return the credentials of a role; each session name assumes it once."""
        with self._lock:
            key = (role_arn, session_name)
            if key not in self._roles:
                self._roles[key] = self._assume(role_arn, session_name)
            return self._roles[key]

    def endpoint(self, service: str) -> str:
        """Return the endpoint of a service."""
        comprehend_url = self._settings.comprehend_url
        return comprehend_url if service == "comprehend" and comprehend_url else self._url

    def queue_url(self, arn: str) -> str:
        """Return the URL of a queue."""
        account, name = arn.split(":")[4:6]
        return f"{self.endpoint('sqs')}/{account}/{name}"

    def close(self) -> None:
        """Close every client."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _new_client(self, service: str, credentials: Credentials) -> Any:
        # A service that calls another one neither retries below its own retry rules nor checks
        # parameters before the called service does.
        is_operator = credentials is self._operator
        config = Config(
            retries={"total_max_attempts": 3 if is_operator else 1},
            parameter_validation=is_operator,
            read_timeout=900,
            max_pool_connections=50,
            proxies={},
        )
        # The name is chosen at run time, which the stubs of boto3 cannot express.
        make: Any = self._session.client
        return make(
            service,
            endpoint_url=self.endpoint(service),
            region_name=self._settings.region,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token or None,
            config=config,
        )

    def _assume(self, role_arn: str, session_name: str) -> Credentials:
        assumed = sts_backends[self._settings.account_id]["aws"].assume_role(
            region_name=self._settings.region,
            role_session_name=session_name[:64],
            role_arn=role_arn,
            policy=None,
            duration=3600,
            external_id=None,
        )
        return Credentials(assumed.access_key_id, assumed.secret_access_key, assumed.session_token)

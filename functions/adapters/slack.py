"""The Slack webhook that notices are posted to.

The webhook is a credential: it is read from Secrets Manager at each start of a process, never
logged, and only Slack's own host is called.
"""

import json
import os
from functools import cache
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from adapters.clients import client
from flywheel.errors import ServiceBusyError, ServiceRefusedError

_HOST = "hooks.slack.com"
_TIMEOUT_SECONDS = 5


def send(document: dict[str, Any]) -> None:
    """Post a message to the webhook.

    Raises
    ------
    ServiceBusyError
        Slack was busy: the notice is delivered again, after the time that Slack asks for.
    ServiceRefusedError
        The webhook is wrong or Slack refuses it.
    """
    path = _webhook_path()
    connection = HTTPSConnection(_HOST, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        status, wait = answer.status, answer.getheader("Retry-After", "")
    except OSError as error:
        raise ServiceBusyError("slack:webhook", type(error).__name__) from None
    finally:
        connection.close()
    if status in {429} or status >= 500:  # noqa: PLR2004 - HTTP's own classes
        raise ServiceBusyError("slack:webhook", str(status), int(wait) if wait.isdigit() else None)
    if status >= 400:  # noqa: PLR2004 - HTTP's own classes
        raise ServiceRefusedError("slack:webhook", str(status), "check the webhook's secret")


@cache
def _webhook_path() -> str:
    secret = client("secretsmanager").get_secret_value(SecretId=os.environ["SLACK_SECRET"])
    url = urlsplit(secret["SecretString"].strip())
    if url.scheme != "https" or url.hostname != _HOST:
        raise ServiceRefusedError(
            "slack:webhook", "WrongHost", f"the secret must hold an https://{_HOST}/ address"
        )
    return url.path

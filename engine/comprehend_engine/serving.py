"""One run of the command: it creates an engine from the options, announces and serves it.

Decides the text that people read at the start, and the messages where the engine cannot start. Such
an engine reaches S3 with the credentials of its process, whatever role a flywheel names. Read next:
`comprehend_engine.engine`.
"""

import errno
import json
import os
import sys
import threading
from argparse import Namespace
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from comprehend_engine.engine import Engine, EngineSettings
from comprehend_engine.errors import StartRefusedError
from comprehend_engine.settings import with_setting
from comprehend_engine.storage.data_directory import DirectoryInUseError, DirectoryNotPrivateError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from comprehend_engine.storage.data_lake import S3ClientForRole

DEFAULT_REGION = "us-east-1"
"""The region where neither AWS_REGION nor a profile names one."""


def serve(options: Namespace) -> None:
    """Run an engine until the process is interrupted.

    Parameters
    ----------
    options : Namespace
        The options of the command, by their names.

    Raises
    ------
    StartRefusedError
        It cannot start: the port is in use, the data directory cannot be used, or an option is
        invalid.
    """
    engine = _engine(options)
    try:
        engine.start()
    except OSError as error:
        raise _refusal(options, error) from error
    try:
        _announce(options, engine)
        threading.Event().wait()
    finally:
        engine.stop()


def _engine(options: Namespace) -> Engine:
    try:
        s3_client_for_role = ambient_s3(options.s3_endpoint)
        settings = EngineSettings(
            options.data,
            region=ambient_region(),
            port=options.port,
            pace_seconds=options.pace,
            allows_faults=options.faults,
        )
    except ValueError as error:
        where = f"--s3-endpoint {options.s3_endpoint}"
        raise StartRefusedError(where, "it is not a URL", "Write it as http://HOST:PORT") from error
    except BotoCoreError as error:
        remedy = "Check AWS_PROFILE and the AWS configuration (aws configure list)"
        raise StartRefusedError("AWS", str(error).rstrip("."), remedy) from error
    for assignment in options.set:
        try:
            settings = with_setting(settings, assignment)
        except ValueError as error:
            remedy = "The engine's README explains each of them"
            raise StartRefusedError(f"--set {assignment}", str(error), remedy) from error
    return Engine(settings, s3_client_for_role=s3_client_for_role)


def _announce(options: Namespace, engine: Engine) -> None:
    """Write the engine's address, for people or for a program that reads standard output."""
    lines = [
        "The Comprehend engine is running.",
        f"  Data   {options.data.resolve()}",
        f"  S3     {options.s3_endpoint or 'as boto3 finds it'}",
        *([f"  Faults {engine.url}/_engine/faults"] if options.faults else []),
        "",
        "For the aws command and any AWS SDK, in another terminal:",
        f"  export AWS_ENDPOINT_URL_COMPREHEND={engine.url}",
        f"  export AWS_REGION={ambient_region()}",
        "",
        "Its state stays in the data directory. Stop it with Ctrl-C.",
    ]
    people = sys.stderr if options.json else sys.stdout
    people.write("\n".join(lines) + "\n")
    people.flush()
    if options.json:
        document = {"url": engine.url, "data": str(options.data.resolve())}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        sys.stdout.flush()


def _refusal(options: Namespace, error: OSError) -> StartRefusedError:
    """Return why the engine cannot start, as a problem and a remedy."""
    where, problem = f"--data {options.data}", error.strerror or str(error)
    if isinstance(error, DirectoryInUseError):
        remedy = "Stop that engine, or choose another directory"
        return StartRefusedError(where, problem, remedy)
    if isinstance(error, DirectoryNotPrivateError):
        remedy = (
            "Choose a directory of your own: whoever can write a model decides what it predicts"
        )
        return StartRefusedError(where, problem, remedy)
    if error.errno == errno.EADDRINUSE:
        remedy = "Choose another port, or leave the option out to get a free one"
        return StartRefusedError(f"--port {options.port}", problem, remedy)
    if error.errno == errno.ENOSPC:
        return StartRefusedError(where, "its disk is full", "Free space on it")
    return StartRefusedError(where, problem, "Choose a directory that can be written")


def ambient_s3(endpoint_url: str | None = None) -> "S3ClientForRole":
    """Return a function that gives the engine its S3 client, with the process's credentials.

    Parameters
    ----------
    endpoint_url : str, optional
        The S3 to use; boto3's own choice by default, AWS_ENDPOINT_URL_S3 included.
    """
    chosen = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3")
    # A server other than AWS's has no host name per bucket.
    style: Literal["path", "auto"] = "path" if chosen else "auto"
    client: S3Client = boto3.Session().client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=ambient_region(),
        config=Config(s3={"addressing_style": style}, retries={"mode": "standard"}),
    )
    return lambda role_arn: client


def ambient_region() -> str:
    """Return the region that boto3 would use, or the default one."""
    return boto3.Session().region_name or DEFAULT_REGION

"""Deploys cdk.out as the CDK command would: publish the assets, then create the stacks.

Decides the order and the message of a failure. Must not know moto: everything goes through the
public APIs. Read next: template_audit.py, which checks each template first.

Notes
-----
*Source*: AWS CDK Developer Guide, "Bootstrapping" (qualifier hnb659fds, names of bucket and
parameter), and the cloud assembly's schema (manifest.json, <Stack>.assets.json).
"""

import graphlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.errors import DeploymentError
from local_cloud.sessions import Sessions
from local_cloud.settings import CloudSettings
from local_cloud.template_audit import audit_template

_VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_BOOTSTRAP_VERSION = "30"
# Longer templates must be passed to CloudFormation as an object in S3.
_MOST_TEMPLATE_BYTES = 51_200
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class StackArtifact:
    """One stack of a cloud assembly."""

    name: str
    template: Path
    assets: Path | None


def deploy(
    cdk_out: Path, settings: CloudSettings, sessions: Sessions, failures: list[tuple[str, str]]
) -> dict[str, str]:
    """Deploy every stack of a cloud assembly.

    Parameters
    ----------
    cdk_out : Path
        The assembly's folder.
    settings : CloudSettings
        Account and region.
    sessions : Sessions
        The operator's clients.
    failures : list of (str, str)
        Receives the resource and the reason of a failure from CloudFormation's adapter.

    Returns
    -------
    dict of str to str
        The outputs of all stacks.

    Raises
    ------
    TemplateRefusedError
        A template uses a type or property that would be left out; nothing is created then.
    DeploymentError
        A stack cannot be created.
    """
    stacks = stack_artifacts(cdk_out)
    for stack in stacks:
        audit_template(stack.template)
    _bootstrap(settings, sessions)
    outputs: dict[str, str] = {}
    for stack in stacks:
        _publish_assets(stack, settings, sessions)
        outputs |= _create_stack(stack, settings, sessions, failures)
    return outputs


def stack_artifacts(cdk_out: Path) -> list[StackArtifact]:
    """Return the stacks of a cloud assembly, each after its dependencies."""
    artifacts = json.loads((cdk_out / "manifest.json").read_text())["artifacts"]
    order = graphlib.TopologicalSorter(
        {name: artifact.get("dependencies", []) for name, artifact in artifacts.items()}
    )
    return [
        _stack_artifact(cdk_out, name, artifacts[name])
        for name in order.static_order()
        if artifacts.get(name, {}).get("type") == "aws:cloudformation:stack"
    ]


def _stack_artifact(cdk_out: Path, name: str, artifact: dict[str, Any]) -> StackArtifact:
    assets = cdk_out / f"{name}.assets.json"
    return StackArtifact(
        artifact["properties"].get("stackName", name),
        cdk_out / artifact["properties"]["templateFile"],
        assets if assets.exists() else None,
    )


def _bucket_name(settings: CloudSettings) -> str:
    return f"cdk-hnb659fds-assets-{settings.account_id}-{settings.region}"


def _bootstrap(settings: CloudSettings, sessions: Sessions) -> None:
    s3 = sessions.client("s3")
    if not any(bucket["Name"] == _bucket_name(settings) for bucket in s3.list_buckets()["Buckets"]):
        s3.create_bucket(Bucket=_bucket_name(settings), **_location(settings))
    sessions.client("ssm").put_parameter(
        Name=_VERSION_PARAMETER, Value=_BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )


def _location(settings: CloudSettings) -> dict[str, Any]:
    if settings.region == "us-east-1":
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": settings.region}}


def _publish_assets(stack: StackArtifact, settings: CloudSettings, sessions: Sessions) -> None:
    if stack.assets is None:
        return
    s3 = sessions.client("s3")
    for asset in json.loads(stack.assets.read_text()).get("files", {}).values():
        source = stack.assets.parent / asset["source"]["path"]
        is_zip = asset["source"].get("packaging") == "zip"
        body = zipped(source) if is_zip else source.read_bytes()
        for destination in asset["destinations"].values():
            s3.put_object(
                Bucket=_resolved(destination["bucketName"], settings),
                Key=_resolved(destination["objectKey"], settings),
                Body=body,
            )


def zipped(folder: Path) -> bytes:
    """Return a folder as a zip; equal contents give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def _resolved(text: str, settings: CloudSettings) -> str:
    values = {
        "${AWS::AccountId}": settings.account_id,
        "${AWS::Region}": settings.region,
        "${AWS::Partition}": "aws",
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _create_stack(
    stack: StackArtifact,
    settings: CloudSettings,
    sessions: Sessions,
    failures: list[tuple[str, str]],
) -> dict[str, str]:
    cloudformation = sessions.client("cloudformation")
    failures.clear()
    try:
        cloudformation.create_stack(
            StackName=stack.name,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            **_template_parameter(stack, settings, sessions),
        )
        described = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    except ClientError as error:
        resource, reason = failures[0] if failures else ("", str(error))
        raise DeploymentError(stack.name, resource=resource, reason=reason) from error
    if described["StackStatus"] != "CREATE_COMPLETE":
        reason = described.get("StackStatusReason", described["StackStatus"])
        raise DeploymentError(stack.name, resource="", reason=reason)
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _template_parameter(
    stack: StackArtifact, settings: CloudSettings, sessions: Sessions
) -> dict[str, str]:
    body = stack.template.read_text()
    if len(body.encode()) <= _MOST_TEMPLATE_BYTES:
        return {"TemplateBody": body}
    bucket, key = _bucket_name(settings), f"{stack.name}.template.json"
    sessions.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    # moto reads the bucket's name from the path only when the host is called localhost.
    port = sessions.endpoint("s3").rpartition(":")[2]
    return {"TemplateURL": f"http://localhost:{port}/{bucket}/{key}"}

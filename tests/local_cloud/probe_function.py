"""The probe function on its own, for tests that need no stack."""

import json
from pathlib import Path

from local_cloud.cloud import Cloud
from local_cloud.deployment import zipped

ASSET = Path(__file__).parent / "asset"
ROLE = "arn:aws:iam::123456789012:role/probe"


def create_probe_role(cloud: Cloud) -> None:
    """Create a role that may do everything."""
    trusted = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}],
    }
    cloud.client("iam").create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps(trust))
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    cloud.client("iam").put_role_policy(
        RoleName="probe",
        PolicyName="everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )


def create_probe_function(cloud: Cloud) -> None:
    """Create the function and a role for it."""
    create_probe_role(cloud)
    cloud.client("lambda").create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role=ROLE,
        Handler="handlers.probe",
        Timeout=60,
        Code={"ZipFile": zipped(ASSET)},
    )

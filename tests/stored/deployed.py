"""What the stack names for others: outputs, alarms' metrics, variables, parameters, the workflow.

The environment has a flywheel of each kind and every channel of notices, so that nothing is left
out. Synthesized in process, as `tests.infra` does.
"""

from pathlib import Path
from typing import Any

from tests.infra.synthesis import Synthesized, environment_of, joined, plain, synthesize

_ENVIRONMENT = """
account = "123456789012"
region = "eu-west-1"

[notifications]
emails = ["one@example.com"]
slack_webhook_secret = "flywheel/slack-webhook"

[flywheels.tickets]
task = "classification"
mode = "multi-label"
language = "en"
labels = ["billing", "delivery"]

[flywheels.contracts]
task = "entities"
language = "en"
entity_types = ["PERSON", "PLACE"]

[flywheels.intents]
adopt = "arn:aws:comprehend:eu-west-1:123456789012:flywheel/old-one"
data_access_role_arn = "arn:aws:iam::123456789012:role/service-role/comprehend"
"""
_NEVER_RENAMED = (
    "AWS::Comprehend::Flywheel",
    "AWS::DynamoDB::Table",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)
"""Another logical id would make another resource, and leave the present one behind."""


def synthesized(folder: Path) -> Synthesized:
    """Return the cloud assembly."""
    return synthesize(environment_of(_ENVIRONMENT), folder)


def deployed(stack: Synthesized) -> dict[str, list[Any]]:
    """Return what the stack names, by kind."""
    alarms = stack.properties("AWS::CloudWatch::Alarm").values()
    own = [alarm for alarm in alarms if not alarm["Namespace"].startswith("AWS/")]
    functions = stack.properties("AWS::Lambda::Function")
    parameters = stack.properties("AWS::SSM::Parameter").values()
    return {
        "workflow": [stack.workflow()],
        "outputs": sorted(stack.template["Outputs"]),
        "metrics": sorted(map(_metric, own), key=str),
        "resources": sorted(
            f"{kind} {name}" for kind in _NEVER_RENAMED for name in stack.resources(kind)
        ),
        "variables": [
            {plain(name): sorted(function["Environment"]["Variables"])}
            for name, function in sorted(functions.items())
        ],
        "parameters": [
            {"name": joined(found["Name"]), "value": joined(found["Value"])} for found in parameters
        ],
    }


def _metric(alarm: Any) -> dict[str, Any]:
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    names = {"Name": alarm["MetricName"], "Namespace": alarm["Namespace"]}
    return {**names, "Dimensions": dimensions}

import re
from typing import Any

import pytest

from application.chain_heads import METRIC_SERVICE
from tests.infra.synthesis import ROOT, Synthesized, joined, listed, plain

WORKFLOW = {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
RECONCILE = {"ReconcileAbsent", "EventsLost", "ServiceUnready"}
MOST_CHARACTERS = 1024
"""*Source*: PutMetricAlarm, AlarmDescription."""


def alarms(stack: Synthesized) -> dict[str, dict[str, Any]]:
    """Return the alarms by construct id."""
    return {
        plain(name).removeprefix("Monitoring"): alarm
        for name, alarm in stack.properties("AWS::CloudWatch::Alarm").items()
    }


def dimensions(alarm: dict[str, Any]) -> dict[str, str]:
    """Return an alarm's dimensions."""
    return {item["Name"]: joined(item["Value"]) for item in alarm["Dimensions"]}


def test_everything_that_runs_has_an_alarm_when_it_is_made(
    each: Synthesized, team: Synthesized
) -> None:
    """Each dead-letter queue, each function, each bad ending, each flywheel's slots."""
    for stack in (each, team):
        found = alarms(stack)
        functions = {plain(name) for name in stack.resources("AWS::Lambda::Function")}
        watched = {
            dimensions(alarm)["QueueName"]
            for name, alarm in found.items()
            if name.endswith("DeadLetters")
        }
        dead = {
            "${" + plain(name) + ".QueueName}"
            for name in stack.resources("AWS::SQS::Queue")
            if "DeadLetters" in name
        }
        assert watched == dead
        slots = "DatasetSlotsintents" if stack is team else "DatasetSlotstickets"
        assert {name for name in found if not name.endswith("DeadLetters")} == {
            *(f"{name}Errors" for name in functions),
            *WORKFLOW,
            *RECONCILE,
            "AuditContradicted",
            "UploadsWait",
            slots,
        }


def test_people_are_told_what_to_do_when_an_alarm_fires(
    each: Synthesized, team: Synthesized
) -> None:
    """Each goes to the topic and names a heading of the runbook that exists."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    headings = set(re.findall(r"^## (.+)$", page, re.MULTILINE))
    named = set()
    for stack in (each, team):
        for alarm in alarms(stack).values():
            assert [joined(action) for action in alarm["AlarmActions"]] == ["${NoticesTopic}"]
            description = alarm["AlarmDescription"]
            assert len(description) <= MOST_CHARACTERS
            (heading,) = re.findall(r'Runbook: docs/operations\.md, "(.+)"\.$', description)
            named.add(heading)
    assert named == headings


def test_alarms_may_publish_when_the_topic_has_its_own_key(
    each: Synthesized, team: Synthesized
) -> None:
    """CloudWatch may use the key and the topic, for this account alone."""
    for stack in (each, team):
        (key,) = stack.properties("AWS::KMS::Key").values()
        (topic,) = stack.properties("AWS::SNS::Topic").values()
        (policy,) = stack.properties("AWS::SNS::TopicPolicy").values()
        assert joined(topic["KmsMasterKeyId"]) == "${NoticesKey.Arn}"
        assert key["EnableKeyRotation"] is True
        for document, actions in (
            (key["KeyPolicy"], ["kms:Decrypt", "kms:GenerateDataKey*"]),
            (policy["PolicyDocument"], ["sns:Publish"]),
        ):
            (statement,) = [
                item
                for item in document["Statement"]
                if item["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
            ]
            assert listed(statement["Action"]) == actions
            ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
            assert statement["Condition"] == ours


def test_a_publisher_may_use_the_key_when_it_publishes(each: Synthesized) -> None:
    """Whoever may publish may also encrypt, and nobody else may."""

    def holders(action: str) -> set[str]:
        return {role for role, found in each.statements() if action in listed(found["Action"])}

    assert holders("sns:Publish")
    assert holders("sns:Publish") == holders("kms:GenerateDataKey*") == holders("kms:Decrypt")


@pytest.mark.parametrize(
    ("name", "metric", "own_dimensions", "missing"),
    [
        ("ReconcileAbsent", "reconciled_runs", {}, "breaching"),
        ("EventsLost", "reconciled_uploads", {}, "notBreaching"),
        ("AuditContradicted", "audit_contradictions", {"service": METRIC_SERVICE}, "notBreaching"),
        (
            "DatasetSlotstickets",
            "dataset_slots_used_percent",
            {"flywheel": "tickets"},
            "ignore",
        ),
    ],
)
def test_an_alarm_sees_what_reconcile_writes_when_it_runs(
    each: Synthesized, name: str, metric: str, own_dimensions: dict[str, str], missing: str
) -> None:
    """Namespace and service are those that the function is given, one namespace an environment."""
    variables = each.function("Reconcile")["Environment"]["Variables"]
    alarm = alarms(each)[name]
    assert alarm["MetricName"] == metric
    assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    service = {"service": variables["POWERTOOLS_SERVICE_NAME"]}
    assert dimensions(alarm) == {**service, **own_dimensions}
    assert alarm["TreatMissingData"] == missing
    environment = variables["ENVIRONMENT"]
    assert alarm["Namespace"] == f"FlywheelLoop/{environment}"


def test_an_absence_lasts_three_runs_when_it_is_told(each: Synthesized) -> None:
    """Reconcile runs each quarter of an hour, and 45 minutes without it are told."""
    alarm = alarms(each)["ReconcileAbsent"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 45 * 60
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_a_long_file_is_no_alarm_when_it_is_read(each: Synthesized) -> None:
    """An upload may wait for one that takes all of the function's time."""
    alarm = alarms(each)["UploadsWait"]
    assert alarm["Threshold"] >= 2 * each.function("RegisterUpload")["Timeout"]

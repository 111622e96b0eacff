import json
from pathlib import Path

import pytest

from tests.infra.synthesis import Synthesized, environment_of, plain, synthesize

TEAM_FLYWHEEL = """
[flywheels.intents]
adopt = "arn:aws:comprehend:eu-west-1:123456789012:flywheel/old-one"
data_access_role_arn = "arn:aws:iam::123456789012:role/service-role/comprehend"
"""


def test_every_bucket_is_private_when_it_is_made(each: Synthesized) -> None:
    """Versioned, encrypted, owned by the account and closed to the public."""
    buckets = each.properties("AWS::S3::Bucket")
    assert len(buckets) == 4
    for bucket in buckets.values():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        assert bucket["OwnershipControls"] == {
            "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
        }
        assert bucket["LifecycleConfiguration"]["Rules"][0]["Status"] == "Enabled"


def test_only_verdicts_can_be_locked_when_no_retention_is_asked_for(each: Synthesized) -> None:
    """The bucket is born with Object Lock, so that a retention can be asked for at any time."""
    able = {
        plain(name): bucket.get("ObjectLockConfiguration")
        for name, bucket in each.properties("AWS::S3::Bucket").items()
        if bucket.get("ObjectLockEnabled")
    }
    assert able == {"VerdictsBucket": None}


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_verdicts_are_locked_when_the_environment_asks(tmp_path: Path, mode: str) -> None:
    """Every new object is kept from deletion for so many days, in the mode that was asked for."""
    text = f"[verdicts]\nobject_lock_days = 365\nobject_lock_mode = {mode!r}\n{TEAM_FLYWHEEL}"
    stack = synthesize(environment_of(text), tmp_path)
    (bucket,) = [
        item
        for name, item in stack.properties("AWS::S3::Bucket").items()
        if plain(name) == "VerdictsBucket"
    ]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"] == {
        "DefaultRetention": {"Mode": mode, "Days": 365}
    }


def test_nobody_comes_in_without_tls_when_a_policy_is_made(each: Synthesized) -> None:
    """Every bucket, queue and topic denies what was not sent over TLS."""
    kinds = {
        "AWS::S3::BucketPolicy": ("Bucket", "AWS::S3::Bucket"),
        "AWS::SQS::QueuePolicy": ("Queues", "AWS::SQS::Queue"),
        "AWS::SNS::TopicPolicy": ("Topics", "AWS::SNS::Topic"),
    }
    for kind, (key, of) in kinds.items():
        closed = ""
        for policy in each.properties(kind).values():
            denied = [
                statement
                for statement in policy["PolicyDocument"]["Statement"]
                if statement["Effect"] == "Deny"
                and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
            ]
            assert denied
            closed += json.dumps(policy[key])
        assert all(name in closed for name in each.resources(of))


def test_only_the_inbox_tells_events_when_buckets_are_made(each: Synthesized) -> None:
    """EventBridge is on by the bucket's own property, without a function that sets it."""
    telling = {
        plain(name): bucket["NotificationConfiguration"]
        for name, bucket in each.properties("AWS::S3::Bucket").items()
        if "NotificationConfiguration" in bucket
    }
    assert telling == {"InboxBucket": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}}
    types = {resource["Type"] for resource in each.template["Resources"].values()}
    assert not [kind for kind in types if "Custom" in kind]


def test_data_outlives_the_stack_when_it_is_not_local(each: Synthesized) -> None:
    """Buckets, ledger and flywheels stay when a stack is deleted, in every place but this one."""
    kept = "Delete" if "local" in each.template_file.name else "Retain"
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Comprehend::Flywheel")
    for kind in kinds:
        resources = each.resources(kind)
        assert resources
        for resource in resources.values():
            assert resource["DeletionPolicy"] == kept
            assert resource["UpdateReplacePolicy"] == kept


def test_the_ledger_can_be_restored_when_it_is_made(each: Synthesized) -> None:
    """On demand, with point-in-time recovery and encryption, and kept from deletion."""
    (table,) = each.properties("AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["DeletionProtectionEnabled"] is ("local" not in each.template_file.name)
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]

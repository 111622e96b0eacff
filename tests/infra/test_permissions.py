import json
import os
from pathlib import Path

import pytest

from infra.ledger_rights import WRITTEN_BY
from tests.infra.synthesis import Synthesized, joined, listed, plain

_NOWHERE_NARROWER = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "comprehend:ListEndpoints",
    "comprehend:ListDocumentClassifiers",
    "comprehend:ListEntityRecognizers",
}
"""Actions for which AWS takes no resource (*Source*: Service Authorization Reference)."""


GOLDEN = Path(__file__).with_name("grants.golden.txt")
_OWN_ARNS = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:"


def grants(stack: Synthesized) -> list[str]:
    """Return what each role may do to what, and on which condition, a line each.

    What functions may do to the ledger is in its own table (`infra.ledger_rights`).
    """
    found = set()
    for role, statement in stack.statements():
        name = plain(role).removesuffix("ServiceRole")
        condition = statement.get("Condition")
        suffix = f"  when {json.dumps(condition, sort_keys=True)}" if condition else ""
        for resource in map(joined, listed(statement["Resource"])):
            if resource.startswith("${LedgerTable.Arn}") and name in WRITTEN_BY:
                continue
            for action in listed(statement["Action"]):
                own = _OWN_ARNS % action.partition(":")[0].lower()
                place = resource.removeprefix(own)
                found.add(f"{name}  {statement['Effect']}  {action}  {place}{suffix}")
    return sorted(found)


def test_a_role_may_do_what_it_needs_when_policies_are_made(dev: Synthesized) -> None:
    """What a function may do, to what, and on which condition: no less than its work takes.

    Each change is a readable diff of the golden file.
    """
    text = "".join(f"{line}\n" for line in grants(dev))
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_roles_are_the_same_when_the_environment_is_another(
    each: Synthesized, dev: Synthesized
) -> None:
    """Up to the environment's name; a function that only one of them has is left aside."""
    name = each.template_file.name.removeprefix("flywheel-loop-").split(".")[0]
    renamed = [
        line.replace(f"{name}-", "dev-").replace(f"-{name}/", "-dev/") for line in grants(each)
    ]
    of_dev = grants(dev)
    roles = {line.partition(" ")[0] for line in of_dev}
    assert [line for line in renamed if line.partition(" ")[0] in roles] == of_dev


def test_a_role_is_passed_to_the_service_alone_when_policies_are_made(
    each: Synthesized, team: Synthesized
) -> None:
    """Who may start jobs or make a flywheel hands the data access role to Comprehend and nobody."""
    for stack in (each, team):
        passing = [
            (plain(role), statement["Condition"], listed(statement["Resource"]))
            for role, statement in stack.statements()
            if "iam:PassRole" in listed(statement["Action"])
        ]
        assert {role for role, _, _ in passing} == {
            "CompareModelsServiceRole",
            "RebuildFlywheelServiceRole",
        }
        for _, condition, resources in passing:
            assert condition == {
                "StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}
            }
            assert "*" not in resources


def test_the_key_is_used_by_publishers_when_policies_are_made(each: Synthesized) -> None:
    """Functions that tell people something, and the account's alarms."""
    for action in ("sns:Publish", "kms:Decrypt", "kms:GenerateDataKey*"):
        assert holders(each, action) == {
            f"{name}ServiceRole"
            for name in (
                "AskApproval",
                "ChangeChampion",
                "CloseBatch",
                "CompareModels",
                "Operate",
                "RebuildFlywheel",
                "Reconcile",
                "StartIteration",
            )
        }


def holders(stack: Synthesized, action: str) -> set[str]:
    """Return the roles, without hashes, that may do something."""
    return {
        plain(role)
        for role, statement in stack.statements()
        if statement["Effect"] == "Allow"
        and action.casefold() in (name.casefold() for name in listed(statement["Action"]))
    }


def test_no_role_may_do_everything_when_policies_are_made(
    each: Synthesized, team: Synthesized
) -> None:
    """No action is a bare star or a whole service, and every resource is named where AWS can."""
    for stack in (each, team):
        found = list(stack.statements())
        assert found
        for role, statement in found:
            actions = set(listed(statement["Action"]))
            assert not [action for action in actions if action == "*" or action.endswith(":*")]
            if "*" in listed(statement["Resource"]):
                assert actions <= _NOWHERE_NARROWER, role


def test_three_functions_write_the_model_when_policies_are_made(
    each: Synthesized, team: Synthesized
) -> None:
    """The comparison, for a verdict; the one that people ask; and the one that rebuilds.

    The last makes the live model the new generation's, and moves endpoints there.
    """
    for stack in (each, team):
        assert holders(stack, "comprehend:UpdateFlywheel") == {
            "CompareModelsServiceRole",
            "ChangeChampionServiceRole",
            "RebuildFlywheelServiceRole",
        }


def test_one_function_alone_answers_when_policies_are_made(
    each: Synthesized, team: Synthesized
) -> None:
    """One function brings a person's answer, and it can do nothing of Comprehend."""
    for stack in (each, team):
        assert holders(stack, "states:SendTaskSuccess") == {"AnswerApprovalServiceRole"}
        assert not holders(stack, "states:SendTaskFailure")
        actions = {
            action
            for role, statement in stack.statements()
            if plain(role) == "AnswerApprovalServiceRole"
            for action in listed(statement["Action"])
        }
        assert not [action for action in actions if action.startswith("comprehend:")]


JOB_STARTS = [
    "comprehend:StartDocumentClassificationJob",
    "comprehend:StartEntitiesDetectionJob",
]


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        ("comprehend:StartFlywheelIteration", {"StartIterationServiceRole"}),
        ("comprehend:CreateDataset", {"SealBatchServiceRole"}),
        (
            "states:StartExecution",
            {
                "RegisterUploadServiceRole",
                "CloseBatchServiceRole",
                "ReconcileServiceRole",
                "RebuildFlywheelServiceRole",
                "OperateServiceRole",
            },
        ),
        ("comprehend:StopTrainingDocumentClassifier", {"OperateServiceRole"}),
        ("comprehend:StopTrainingEntityRecognizer", {"OperateServiceRole"}),
        ("dynamodb:Scan", set()),
        ("dynamodb:DeleteTable", set()),
        ("s3:DeleteObject", set()),
        ("s3:DeleteObject*", set()),
        ("s3:DeleteObjectVersion", set()),
        ("s3:BypassGovernanceRetention", set()),
        ("s3:PutObjectRetention", set()),
        ("s3:PutBucketObjectLockConfiguration", set()),
        ("comprehend:DeleteFlywheel", set()),
        ("comprehend:CreateFlywheel", {"RebuildFlywheelServiceRole"}),
        ("comprehend:UpdateEndpoint", {"RebuildFlywheelServiceRole"}),
        ("iam:PassRole", {"RebuildFlywheelServiceRole", "CompareModelsServiceRole"}),
        ("comprehend:StartDocumentClassificationJob", {"CompareModelsServiceRole"}),
        ("comprehend:StartEntitiesDetectionJob", {"CompareModelsServiceRole"}),
    ],
)
def test_few_roles_may_do_a_thing_when_it_costs_or_destroys(
    dev: Synthesized, action: str, roles: set[str]
) -> None:
    """What spends money or deletes is held by exactly these roles."""
    assert holders(dev, action) == roles


def test_the_record_is_written_by_few_when_policies_are_made(each: Synthesized) -> None:
    """Verdicts where they are made or their batch ends, heads also where the champion changes."""
    written = {
        (plain(role), joined(resource))
        for role, statement in each.statements()
        for resource in listed(statement["Resource"])
        if "Verdicts" in joined(resource)
    }
    assert written == {
        ("CompareModelsServiceRole", "${VerdictsBucket.Arn}/verdicts/*"),
        ("CloseBatchServiceRole", "${VerdictsBucket.Arn}/verdicts/*"),
        *(
            (f"{function}ServiceRole", "${VerdictsBucket.Arn}/chain/*")
            for function in ("CompareModels", "CloseBatch", "ChangeChampion", "Reconcile")
        ),
    }
    actions = {
        (action, joined(resource).rpartition("Arn}")[2])
        for _, statement in each.statements()
        for resource in listed(statement["Resource"])
        if "Verdicts" in joined(resource)
        for action in listed(statement["Action"])
    }
    assert actions == {
        ("s3:PutObject", "/verdicts/*"),
        ("s3:PutObject", "/chain/*"),
        ("s3:GetObject", "/chain/*"),
    }


def test_nothing_in_the_record_is_replaced_when_its_bucket_is_made(each: Synthesized) -> None:
    """The bucket refuses everybody a write without the condition that nothing is there."""
    statements = [
        statement
        for policy in each.properties("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:if-none-match" in str(statement)
    ]
    (denial,) = statements
    assert (denial["Effect"], denial["Principal"]) == ("Deny", {"AWS": "*"})
    assert denial["Action"] == "s3:PutObject"
    assert denial["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert [joined(resource) for resource in denial["Resource"]] == [
        "${VerdictsBucket.Arn}/chain/*",
        "${VerdictsBucket.Arn}/verdicts/*",
    ]


def test_comprehend_is_reached_by_name_when_policies_are_made(each: Synthesized) -> None:
    """Functions touch only the environment's own flywheels, by name; any model may go live."""
    name = each.template_file.name.removeprefix("flywheel-loop-").split(".")[0]
    for _, statement in each.statements():
        if not str(listed(statement["Action"])[0]).startswith("comprehend:"):
            continue
        for resource in listed(statement["Resource"]):
            text = joined(resource)
            actions = listed(statement["Action"])
            is_model = text.endswith((":document-classifier/*", ":entity-recognizer/*"))
            is_job = text.endswith((":document-classification-job/*", ":entities-detection-job/*"))
            is_endpoint = text.endswith(":document-classifier-endpoint/*")
            is_listing = text == "*" and all(":List" in action for action in actions)
            is_own = f":flywheel/{name}-tickets-g*" in text
            assert is_own or is_model or is_job or is_endpoint or is_listing
            assert not is_endpoint or actions == ["comprehend:UpdateEndpoint"]
            assert not is_model or actions in (
                ["comprehend:UpdateFlywheel"],
                JOB_STARTS,
                ["comprehend:DescribeDocumentClassifier"],
                ["comprehend:DescribeEntityRecognizer"],
                ["comprehend:StopTrainingDocumentClassifier"],
                ["comprehend:StopTrainingEntityRecognizer"],
            )
            assert not is_job or all(action.endswith("Job") for action in actions)


def test_the_service_reads_only_its_flywheel_when_the_role_is_made(dev: Synthesized) -> None:
    """Comprehend reads this flywheel's own data and keeps its lake, for our account alone."""
    (role,) = [
        item
        for name, item in dev.properties("AWS::IAM::Role").items()
        if plain(name) == "FlywheelticketsDataAccess"
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "comprehend.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    (policy,) = role["Policies"]
    allowed = {
        (action, joined(resource))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert allowed == {
        ("s3:ListBucket", "${Staging.Arn}"),
        ("s3:GetObject", "${Staging.Arn}/batches/tickets/*"),
        ("s3:GetObject", "${Staging.Arn}/test-sets/tickets/*"),
        ("s3:PutObject", "${Staging.Arn}/job-output/tickets/*"),
        ("s3:ListBucket", "${Lake.Arn}"),
        ("s3:GetObject", "${Lake.Arn}/tickets/*"),
        ("s3:PutObject", "${Lake.Arn}/tickets/*"),
    }
    prefixes = [
        statement["Condition"]["StringLike"]["s3:prefix"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:ListBucket"
    ]
    staged = ["batches/tickets/*", "test-sets/tickets/*", "job-output/tickets/*"]
    assert prefixes == [staged, ["tickets/*"]]


def test_functions_read_the_rows_they_need_when_policies_are_made(each: Synthesized) -> None:
    """Who measures a test set reads its rows: as a batch is sealed, judged, or counted late."""
    readers: dict[str, set[str]] = {}
    for role, statement in each.statements():
        for resource in map(joined, listed(statement["Resource"])):
            is_read = "s3:GetObject" in listed(statement["Action"])
            if is_read and resource.startswith("${Staging") and "DataAccess" not in plain(role):
                folder = resource.removeprefix("${Staging.Arn}/").removesuffix("/*")
                readers.setdefault(folder, set()).add(plain(role).removesuffix("ServiceRole"))
    assert readers["known"] == {"SealBatch", "CompareModels", "Operate", "Reconcile"}
    assert readers["imports"] == {"Operate"}
    assert "Reconcile" not in set().union(*(readers[name] for name in readers if name != "known"))
    assert holders(each, "s3:ListBucket") >= {
        f"{name}ServiceRole" for name in ("SealBatch", "CompareModels", "Reconcile")
    }


def test_one_function_reads_of_the_lake_when_policies_are_made(each: Synthesized) -> None:
    """Archives with a confusion matrix, below the flywheels' own lakes; no other function any."""
    read = {
        (plain(role), action, joined(resource))
        for role, statement in each.statements()
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if joined(resource).startswith("${Lake") and not plain(role).endswith("DataAccess")
    }
    assert read == {
        ("CompareModelsServiceRole", "s3:GetObject", "${Lake.Arn}/tickets/*/output.tar.gz")
    }


def test_the_adopted_role_reads_its_batches_when_a_flywheel_is_adopted(team: Synthesized) -> None:
    """The staging bucket lets the adopted flywheel's own role use its prefixes, and no more."""
    policies = team.properties("AWS::S3::BucketPolicy").values()
    let_in = {
        statement["Action"]: statement
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and "role/service-role/comprehend" in json.dumps(statement["Principal"])
    }
    assert set(let_in) == {"s3:ListBucket", "s3:GetObject", "s3:PutObject"}
    read = [joined(resource) for resource in listed(let_in["s3:GetObject"]["Resource"])]
    assert read == ["${Staging.Arn}/batches/intents/*", "${Staging.Arn}/test-sets/intents/*"]
    assert joined(let_in["s3:PutObject"]["Resource"]) == "${Staging.Arn}/job-output/intents/*"
    (prefixes,) = let_in["s3:ListBucket"]["Condition"].values()
    assert [key.split("/")[1] for key in prefixes["s3:prefix"]] == ["intents"] * 3


def test_the_adopted_flywheel_is_reached_when_policies_are_made(team: Synthesized) -> None:
    """An adopted flywheel is named by its ARN, since its name follows no rule of ours."""
    arn = "arn:aws:comprehend:eu-west-1:123456789012:flywheel/old-one"
    for action in ("comprehend:StartFlywheelIteration", "comprehend:UpdateFlywheel"):
        resources = [
            joined(resource)
            for _, statement in team.statements()
            if action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        ]
        assert arn in resources

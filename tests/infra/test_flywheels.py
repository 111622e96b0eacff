import json
import subprocess
import sys
from pathlib import Path

import pytest

from flywheel.errors import SettingsError
from tests.infra.synthesis import ROOT, Synthesized, environment_of, joined, plain, synthesize

_MOST_BYTES = 8192


def test_the_active_model_is_never_set_when_a_stack_is_deployed(
    each: Synthesized, team: Synthesized
) -> None:
    """A later deploy cannot undo a promotion."""
    for stack in (each, team):
        assert "ActiveModelArn" not in stack.template_file.read_text("utf-8")


def test_the_role_is_whole_before_its_flywheel_when_both_are_made(each: Synthesized) -> None:
    """The flywheel depends on its role, whose policy is inline and so there from the start."""
    (flywheel,) = each.resources("AWS::Comprehend::Flywheel").values()
    (role,) = [name for name in each.resources("AWS::IAM::Role") if "DataAccess" in name]
    assert role in flywheel["DependsOn"]
    assert flywheel["Properties"]["DataAccessRoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
    assert each.properties("AWS::IAM::Role")[role]["Policies"]
    others = each.properties("AWS::IAM::Policy").values()
    assert not [item for item in others if {"Ref": role} in item["Roles"]]


def test_a_flywheel_is_described_as_in_its_file_when_it_is_made(each: Synthesized) -> None:
    """Name, labels, language and data lake come from the environment."""
    name = each.template_file.name.removeprefix("flywheel-loop-").split(".")[0]
    (flywheel,) = each.properties("AWS::Comprehend::Flywheel").values()
    assert flywheel["FlywheelName"] == f"{name}-tickets-g1"
    assert flywheel["ModelType"] == "DOCUMENT_CLASSIFIER"
    assert joined(flywheel["DataLakeS3Uri"]) == "s3://${Lake}/tickets"
    task = flywheel["TaskConfig"]
    assert task["LanguageCode"] == "en"
    assert task["DocumentClassificationConfig"]["Mode"] == "MULTI_CLASS"
    assert "BILLING" in task["DocumentClassificationConfig"]["Labels"]


def test_no_flywheel_is_made_when_one_is_adopted(team: Synthesized) -> None:
    """An adopted flywheel stays the property of whoever made it."""
    types = {resource["Type"] for resource in team.template["Resources"].values()}
    assert not [kind for kind in types if kind.startswith("AWS::Comprehend::")]
    assert not [name for name in team.resources("AWS::IAM::Role") if "DataAccess" in name]


def test_settings_fit_their_parameter_when_they_are_written(
    each: Synthesized, team: Synthesized
) -> None:
    """One parameter a flywheel, of the advanced tier, under 8 KB, with everything but labels."""
    for stack in (each, team):
        (parameter,) = stack.properties("AWS::SSM::Parameter").values()
        value = joined(parameter["Value"])
        assert parameter["Tier"] == "Advanced"
        assert len(value.encode()) < _MOST_BYTES
        document = json.loads(value)
        stack_name = stack.template_file.name.split(".")[0]
        flywheel = document["settings"]["name"]
        assert parameter["Name"] == f"/{stack_name}/flywheels/{flywheel}"
        assert "labels" not in document["settings"]
        assert document["arn"].endswith("flywheel/old-one" if stack is team else "Flywheel.Arn}"), (
            document["arn"]
        )


def test_synth_refuses_when_settings_exceed_their_parameter(tmp_path: Path) -> None:
    """What could not be deployed is said before it is tried, with the flywheel's name."""
    environment = environment_of(
        "[flywheels.intents]\n"
        'adopt = "arn:aws:comprehend:eu-west-1:123456789012:flywheel/old-one"\n'
        f'data_access_role_arn = "arn:aws:iam::123456789012:role/{"x" * 9000}"\n'
    )
    with pytest.raises(SettingsError, match=r"flywheels\.intents: its settings take \d+,\d+ bytes"):
        synthesize(environment, tmp_path)


def test_a_second_flywheel_is_apart_when_an_environment_has_two(tmp_path: Path) -> None:
    """Each flywheel has its own role, lake prefix and parameter."""
    table = '[flywheels.{}]\ntask = "classification"\nmode = "multi-class"\nlanguage = "en"\n'
    text = "".join(table.format(name) + 'labels = ["A", "B"]\n' for name in ("one", "two"))
    stack = synthesize(environment_of(text), tmp_path)
    flywheels = list(stack.properties("AWS::Comprehend::Flywheel").values())
    assert {item["FlywheelName"] for item in flywheels} == {"team-one-g1", "team-two-g1"}
    assert len({json.dumps(item["DataAccessRoleArn"]) for item in flywheels}) == 2
    assert len({joined(item["DataLakeS3Uri"]) for item in flywheels}) == 2
    assert len(stack.resources("AWS::SSM::Parameter")) == 2


def test_the_command_finds_its_way_when_outputs_are_read(each: Synthesized) -> None:
    """The outputs name what the operator's command reads."""
    outputs = {name: joined(item["Value"]) for name, item in each.template["Outputs"].items()}
    stack = each.template_file.name.split(".")[0]
    assert outputs == {
        "InboxBucket": "${InboxBucket}",
        "VerdictsBucket": "${VerdictsBucket}",
        "StagingBucket": "${Staging}",
        "LedgerTable": "${LedgerTable}",
        "TopicArn": "${NoticesTopic}",
        "StateMachineArn": "${IterationWorkflowStateMachine}",
        "SettingsPath": f"/{stack}/flywheels",
        "RebuildFunction": "${RebuildFlywheel}",
        "ChangeChampionFunction": "${ChangeChampion}",
        "AnswerApprovalFunction": "${AnswerApproval}",
        "OperateFunction": "${Operate}",
        "UploadsQueueUrl": "${InboxUploadsQueue}",
        "UploadsDeadLettersUrl": "${InboxUploadsDeadLetters}",
        "NoticesDueQueueUrl": "${NoticesDueQueue}",
        "NoticesDueDeadLettersUrl": "${NoticesDueDeadLetters}",
    }


def test_names_are_left_to_the_service_when_nothing_needs_them(dev: Synthesized) -> None:
    """Only flywheels and parameters have names of ours, which a replacement would collide with."""
    named = {
        plain(name)
        for name, resource in dev.template["Resources"].items()
        for key in resource.get("Properties", {})
        if key in ("BucketName", "TableName", "QueueName", "TopicName", "FunctionName", "RoleName")
        and resource["Type"] not in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission")
    }
    assert named == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "model_type", "task"),
    [
        (
            'task = "classification"\nmode = "multi-label"\nlabels = ["A", "B"]\n',
            "DOCUMENT_CLASSIFIER",
            {"DocumentClassificationConfig": {"Mode": "MULTI_LABEL", "Labels": ["A", "B"]}},
        ),
        (
            'task = "entities"\nentity_types = ["PERSON", "CITY"]\n',
            "ENTITY_RECOGNIZER",
            {"EntityRecognitionConfig": {"EntityTypes": [{"Type": "PERSON"}, {"Type": "CITY"}]}},
        ),
    ],
)
def test_a_flywheel_is_of_its_task_when_its_file_says_so(
    tmp_path: Path, text: str, model_type: str, task: dict[str, object]
) -> None:
    """Several labels a document and entities are flywheels of the service's own kinds."""
    stack = synthesize(environment_of(f'[flywheels.tickets]\nlanguage = "de"\n{text}'), tmp_path)
    (flywheel,) = stack.properties("AWS::Comprehend::Flywheel").values()
    assert flywheel["ModelType"] == model_type
    assert flywheel["TaskConfig"] == {"LanguageCode": "de", **task}
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "--", str(stack.template_file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "")

import json
from pathlib import Path

import pytest
from moto import mock_aws

from console.environment.running_environment import LocalFile
from tests.console.command_line import Run


@pytest.fixture
def good(tmp_path: Path) -> str:
    """Return the path of a good file."""
    path = tmp_path / "good.csv"
    path.write_bytes(b"BILLING,one\nSHIPPING,two\n")
    return str(path)


def test_the_environment_must_be_named_when_a_verb_changes_something(run: Run, good: str) -> None:
    """Both verbs end with 2 and name the environments that there are."""
    for arguments in (["upload", good, "--kind", "train"], ["start"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "one of: dev, local, prod" in result.stderr


@pytest.mark.parametrize("verb", ["status", "history"])
def test_local_is_meant_when_a_verb_only_looks(run: Run, verb: str) -> None:
    """Without an environment it looks for the local one, and says how to start it."""
    result = run(verb)
    assert result.exit_code == 5
    assert "Start it with: flywheel up" in result.stderr


def test_env_is_taken_before_and_after_the_verb_when_given(run: Run) -> None:
    """An unknown environment is refused the same way in both places and from the variable."""
    for arguments in (["--env", "nope", "status"], ["status", "--env", "nope"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "--env nope: there is no such environment" in result.stderr


def test_the_variable_names_the_environment_when_no_option_does(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLYWHEEL_ENV counts, and an option goes before it."""
    monkeypatch.setenv("FLYWHEEL_ENV", "nope")
    assert run("start").exit_code == 2
    assert run("start", "--env", "local").exit_code == 5


def test_it_is_refused_when_env_is_given_twice(run: Run) -> None:
    """Which one is meant is not guessed."""
    result = run("--env", "dev", "start", "--env", "prod")
    assert result.exit_code == 2
    assert "given twice, as dev and prod" in result.stderr


def test_the_error_is_the_document_when_json_is_asked(run: Run) -> None:
    """A program reads the error from standard output, people read it on standard error."""
    result = run("status", "--json")
    error = json.loads(result.stdout)["error"]
    assert error["exit_code"] == result.exit_code == 5
    assert error["where"] in result.stderr


def test_people_are_told_to_sign_in_when_there_are_no_credentials(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trace is printed; it ends with 5."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    result = run("status", "--env", "dev")
    assert result.exit_code == 5
    assert "Sign in to AWS" in result.stderr
    assert "--env local" in result.stderr
    assert "Traceback" not in result.output


def test_people_are_told_to_name_a_region_when_there_is_none(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that boto3 does not read by itself is honoured, and named."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    result = run("status", "--env", "dev")
    assert result.exit_code == 5
    assert result.stderr.startswith("environment dev: no AWS region is set")
    assert "Set AWS_REGION" in result.stderr
    assert "cdk deploy -c env=dev" in result.stderr
    assert "flywheel up --env dev" in result.stderr
    assert "--env local" in result.stderr


def test_the_environment_counts_as_ended_when_its_process_is_gone(run: Run, tmp_path: Path) -> None:
    """A file that a killed process left is no running environment."""
    folder = tmp_path / ".local"
    folder.mkdir()
    (folder / "local.json").write_text('{"pid": 999999999, "variables": {}}')
    assert run("status").exit_code == 5


def test_nothing_is_started_when_the_demo_has_no_data(run: Run, tmp_path: Path) -> None:
    """A folder that is not there is a usage error, and an empty one is told what is expected."""
    assert run("demo", "--data", str(tmp_path / "nowhere")).exit_code == 2
    result = run("demo", "--data", str(tmp_path))
    assert result.exit_code == 1
    assert "Expected: train.csv and test.csv" in result.stderr


def test_the_demo_refuses_when_a_file_has_a_fault(run: Run, tmp_path: Path) -> None:
    """The report is the validator's."""
    (tmp_path / "all.csv").write_bytes(b"label,text\nA,one\n")
    result = run("demo", "--data", str(tmp_path))
    assert result.exit_code == 1
    assert "line 1: looks like a header" in result.stderr


def test_a_second_environment_is_refused_when_one_runs(run: Run, tmp_path: Path) -> None:
    """Whoever holds the lock is the one; the second ends with 3."""
    file = LocalFile(tmp_path / ".local")
    with file.held():
        file.write({})
        result = run("up")
    assert result.exit_code == 3
    assert "one is running already (process" in result.stderr


def test_a_converted_file_is_valid_when_it_came_from_a_spreadsheet(
    run: Run, tmp_path: Path
) -> None:
    """Convert takes what validate refuses, and names the rows that it left out."""
    source, output = tmp_path / "export.tsv", tmp_path / "out.csv"
    source.write_bytes("Topic\tMessage\nA\tcafé, please\nB\t\nB\ttwo\n".encode("windows-1252"))
    options = ["--label", "topic", "--text", "Message", "-o", str(output)]
    result = run("convert", str(source), *options, "--encoding", "windows-1252", "--sep", "tab")
    assert result.exit_code == 0
    assert "Wrote 2 documents" in result.stdout
    assert "line 3: left out" in result.stdout
    assert run("validate", str(output)).exit_code == 0


def test_columns_are_named_when_convert_does_not_find_one(run: Run, tmp_path: Path) -> None:
    """The option is what is wrong, so it ends with 2, and nothing is written."""
    source, output = tmp_path / "export.csv", tmp_path / "out.csv"
    source.write_bytes(b"topic,message\nA,one\n")
    result = run("convert", str(source), "--label", "class", "--text", "message", "-o", str(output))
    assert result.exit_code == 2
    assert "'topic'" in result.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (b"topic,message\nA,one\n", ("--sep", "::"), 2),
        (b"topic,message\nA,one\n", ("--encoding", "klingon"), 2),
        (b"topic,message\nA,one\n", ("--text", "topic"), 2),
        (b"topic,message\nA,one\n", ("-o", "."), 2),
        (b"topic,message\n,one\n", (), 1),
        (b'topic,message\nA,"one\n', (), 1),
        (b"topic,message\nA,caf\xe9\n", (), 1),
    ],
)
def test_convert_ends_with_2_when_an_option_is_wrong_and_with_1_when_the_file_is(
    run: Run, tmp_path: Path, content: bytes, options: tuple[str, ...], code: int
) -> None:
    """A script tells which of the two to repair."""
    source, output = tmp_path / "export.csv", tmp_path / "out.csv"
    source.write_bytes(content)
    usual = ("--label", "topic", "--text", "message", "-o", str(output))
    assert run("convert", str(source), *usual, *options).exit_code == code
    assert not output.exists()


def test_one_document_is_told_as_one_when_convert_wrote_it(run: Run, tmp_path: Path) -> None:
    """Words agree with their number."""
    source, output = tmp_path / "export.csv", tmp_path / "out.csv"
    source.write_bytes(b"topic,message\nA,one\n")
    options = ("--label", "topic", "--text", "message", "-o", str(output))
    assert "Wrote 1 document to" in run("convert", str(source), *options).stdout


def test_a_conversion_is_a_document_when_json_is_asked(run: Run, tmp_path: Path) -> None:
    """A program reads what was written and left out."""
    source, output = tmp_path / "export.csv", tmp_path / "out.csv"
    source.write_bytes(b"topic,message\nA,one\n,two\n")
    result = run(
        *("convert", str(source), "--label", "topic", "--text", "message"),
        *("-o", str(output), "--json"),
    )
    document = json.loads(result.stdout)
    assert document["rows_written"] == 1
    assert document["left_out"][0]["line"] == 3


def test_people_are_told_how_to_run_it_when_it_has_no_stack(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that was never deployed: on AWS, or on this machine."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with mock_aws():
        result = run("status", "--env", "dev")
    assert result.exit_code == 5
    assert result.stderr.startswith("flywheel-loop-dev: there is no such stack in eu-west-1")
    assert "flywheel up --env dev runs it on this machine" in result.stderr

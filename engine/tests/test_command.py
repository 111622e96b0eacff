"""The command: its help, refused starts and exit codes."""

import errno
import json
import signal
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from comprehend_engine.command import main
from comprehend_engine.serving import _refusal
from engine_testing.processes import COMMAND, VARIABLES, engine_process, run_command
from engine_testing.rig import running

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """Run a command that cannot start, in this process; return the lines of its error."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what boto3 asks for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("COLUMNS", "80")


def test_the_help_fits_when_the_terminal_has_80_columns() -> None:
    """Every option has its line."""
    help_page = run_command("--help").stdout
    assert all(len(line) <= 80 for line in help_page.splitlines())
    for option in ("--data", "--port", "--s3-endpoint", "--pace", "--faults", "--set", "--json"):
        assert f"\n  {option} " in help_page


def test_it_says_where_to_reach_it_when_it_serves(s3: "S3Client", tmp_path: Path) -> None:
    """Text goes to standard error; standard output only has the JSON document."""
    with engine_process(tmp_path, s3.meta.endpoint_url, "--faults") as serving:
        serving.process.send_signal(signal.SIGINT)
        _, output = serving.process.communicate(timeout=60)
    assert f"  export AWS_ENDPOINT_URL_COMPREHEND={serving.url}\n" in output
    assert f"  Faults {serving.url}/_engine/faults\n" in output


@pytest.mark.parametrize(
    ("sent", "code", "last"),
    [
        (signal.SIGINT, 130, "Stopped."),
        (signal.SIGTERM, 143, "Its state stays in the data directory. Stop it with Ctrl-C."),
    ],
)
def test_it_ends_in_one_line_when_it_is_interrupted(
    s3: "S3Client", tmp_path: Path, sent: signal.Signals, code: int, last: str
) -> None:
    """Ctrl-C and SIGTERM alike leave no trace, and a directory that is free."""
    with engine_process(tmp_path / "data", s3.meta.endpoint_url) as serving:
        serving.process.send_signal(sent)
        _, output = serving.process.communicate(timeout=60)
        assert serving.process.returncode == code
        assert output.splitlines()[-1] == last
        assert "Traceback" not in output
    with running(tmp_path / "data", s3):
        pass


def test_it_ends_in_one_line_when_it_is_interrupted_while_it_is_imported(tmp_path: Path) -> None:
    """The first import of the engine's own modules is where the interrupt arrives."""
    interrupted = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").write_text(interrupted)
    path = f"{tmp_path}:{VARIABLES['PYTHONPATH']}"
    ended = subprocess.run(
        [*COMMAND, "--data", str(tmp_path / "data")],
        env={**VARIABLES, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (130, "Stopped.\n")


def test_it_says_why_when_the_directory_or_the_port_is_taken(
    s3: "S3Client", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line what is wrong, one line what to do."""
    data = tmp_path / "data"
    with running(data, s3) as rig:
        port = rig.engine.url.rsplit(":", 1)[-1]
        in_use = refused(capsys, "--data", str(data))
        port_taken = refused(capsys, "--data", str(tmp_path / "other"), "--port", port)
    assert in_use[0].startswith(f"--data {data}: {data} is in use by another engine (process ")
    assert in_use[1:] == ["Stop that engine, or choose another directory."]
    assert port_taken == [
        f"--port {port}: Address already in use",
        "Choose another port, or leave the option out to get a free one.",
    ]


def test_it_says_why_when_the_directory_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is below a file, or others may write to it: the command that helps is named."""
    (tmp_path / "file").touch()
    below = refused(capsys, "--data", str(tmp_path / "file" / "data"))
    assert below == [
        f"--data {tmp_path}/file/data: Not a directory",
        "Choose a directory that can be written.",
    ]
    tmp_path.chmod(0o777)
    assert f"chmod go-w {tmp_path} " in refused(capsys, "--data", str(tmp_path))[0]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--s3-endpoint", "nonsense"], "--s3-endpoint nonsense: it is not a URL"),
        (["--set", "endpoints=many"], "endpoints takes a whole number from 0, not 'many'"),
        (["--set", "endpoint=3"], "'endpoint' is unknown; these exist: training_data"),
        (["--port", "65536"], "argument --port: '65536' is not a whole number from 0 to 65535"),
        (["--pace", "-1"], "argument --pace: '-1' is not a number of seconds from 0"),
        (["--pace", "inf"], "argument --pace: 'inf' is not a number of seconds from 0"),
        (["--pace", "soon"], "argument --pace: 'soon' is not a number of seconds from 0"),
    ],
)
def test_the_option_is_named_when_its_value_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], error: str
) -> None:
    """It is wrong usage, and nothing is started."""
    data = tmp_path / "state"
    assert any(error in line for line in refused(capsys, "--data", str(data), *options))
    assert not data.exists()


def test_the_profile_is_named_when_there_is_none_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3's own words, and what to look at."""
    monkeypatch.setenv("AWS_PROFILE", "absent")
    wrong, remedy = refused(capsys, "--data", str(tmp_path))
    assert wrong == "AWS: The config profile (absent) could not be found"
    assert remedy == "Check AWS_PROFILE and the AWS configuration (aws configure list)."


def test_a_program_reads_the_error_when_it_asks_for_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document on standard output, with the words of the two lines."""
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path), "--set", "seed=x", "--json"])
    assert json.loads(capsys.readouterr().out)["error"] == {
        "where": "--set seed=x",
        "problem": "seed takes a whole number from 0, not 'x'",
        "remedy": "The engine's README explains each of them",
    }


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "state/x"),
            "--data state: its disk is full. Free space on it.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "state"),
            "--data state: Permission denied. Choose a directory that can be written.",
        ),
    ],
)
def test_the_reason_is_the_systems_when_the_directory_takes_nothing(
    error: OSError, sentence: str
) -> None:
    """A full disk has a remedy of its own."""
    assert str(_refusal(Namespace(data=Path("state"), port=0), error)) == sentence

"""The command's verbs, run in this process, on a real local environment in another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from console import command
from console.commands import options as verb_options
from console.demo.sample_tickets import generate_tickets
from console.demo.tasks import csv_bytes
from console.environment.running_environment import LocalFile
from console.environment.target import Target, local_target
from tests.console.command_line import Run, invoke, kept_running


def use_local_file(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the command look for a running environment there."""
    for module in (command, verb_options):
        patch.setattr(module, "local_file", lambda: LocalFile(folder))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs the command; no environment runs, and AWS knows nobody."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION", "FLYWHEEL_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("COLUMNS", "80")
    use_local_file(monkeypatch, tmp_path / ".local")
    return invoke


@pytest.fixture(scope="session")
def local_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep one local environment running for all tests that need one."""
    folder = tmp_path_factory.mktemp("environment") / ".local"
    with kept_running(folder):
        yield folder


@pytest.fixture
def run_locally(run: Run, local_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command while the local environment runs."""
    use_local_file(monkeypatch, local_folder)
    return run


@pytest.fixture(scope="session")
def target(local_folder: Path) -> Iterator[Target]:
    """Return the local environment as boto3 reaches it."""
    running = LocalFile(local_folder).read()
    assert running is not None
    opened = local_target(running.variables)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def first_upload(local_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Upload a test set and a training file, wait for the first model, and return both answers."""
    folder = tmp_path_factory.mktemp("first")
    tickets = generate_tickets(300, seed=1)
    (folder / "test.csv").write_bytes(csv_bytes(tickets[:100]))
    (folder / "first.csv").write_bytes(csv_bytes(tickets[100:]))
    with pytest.MonkeyPatch.context() as patch:
        use_local_file(patch, local_folder)
        options = ("--wait", "--env", "local", "--json")
        test = invoke("upload", str(folder / "test.csv"), "--kind", "test", *options)
        train = invoke("upload", str(folder / "first.csv"), "--kind", "train", *options)
    return {"test": test, "train": train}

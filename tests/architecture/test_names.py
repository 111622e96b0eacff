"""One name through the house, and words that do not belong."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def tracked_files() -> list[Path]:
    """Return the files that belong to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_every_function_has_tests_of_its_name_when_the_tree_is_read() -> None:
    """A function's folder and its tests share one name."""
    missing = [name for name in FUNCTIONS if not (ROOT / "tests" / "functions" / name).is_dir()]
    assert not missing


def test_a_function_acts_under_its_own_name_when_it_opens_its_services() -> None:
    """The audit names the function that wrote an entry."""
    for name in FUNCTIONS:
        handler = (ROOT / "functions" / name / "handler.py").read_text("utf-8")
        assert set(re.findall(r'\bservices\(\s*"(\w+)"', handler)) <= {name}
        assert name == "notify_slack" or f'services("{name}"' in handler


def test_no_module_is_a_drawer_when_the_tree_is_read() -> None:
    """Modules are named by what they are about."""
    drawers = {"utils", "helpers", "common", "shared", "misc"}
    assert not [path for path in tracked_files() if path.stem in drawers]


def test_no_work_is_left_behind_when_the_source_is_read() -> None:
    """The source has no marks of unfinished work and no paths of anybody's machine."""
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|/home/\w+|/Users/\w+")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix in {".py", ".md", ".toml", ".sh"} and path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not wrong

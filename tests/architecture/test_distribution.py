"""What is installed: every package of the command, and every file that it reads."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
ROOMS = ("console", "infra", "local_cloud")
PARTS_OF_THE_ASSET = ("flywheel", "application", "adapters")


def test_every_package_is_installed_when_it_has_modules() -> None:
    """A wheel has the packages that are listed, and no others."""
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    } | {
        ".".join(path.parent.relative_to(ROOT / "functions").parts)
        for part in PARTS_OF_THE_ASSET
        for path in (ROOT / "functions" / part).rglob("*.py")
    }
    assert packages <= set(SETUPTOOLS["packages"])


def test_every_file_is_installed_when_a_package_reads_it() -> None:
    """Templates and style sheets lie in packages of their own."""
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert "console.report.templates" in folders
    assert folders <= SETUPTOOLS["package-data"].keys() & set(SETUPTOOLS["packages"])

"""What the docs name exists: files, make targets, and the command's verbs."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from console.command import app

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "engine/README.md")
PAGES = sorted([*(ROOT / name for name in GUIDES), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
_CODE = re.compile(r"`([^`\n]+)`|^(?:\$ |    )?((?:make|flywheel) .+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")
_ANCHOR = re.compile(r"\]\(((?!https?://)[^)#]*)#([^)]+)\)")
_PATH = re.compile(
    r"^(?:engine|functions|infra|local_cloud|console|environments|docs|tests|benchmarks|scripts)/[\w./-]*$"
)


def code_in(page: Path) -> list[str]:
    """Return what a page writes as code, inline or as a command on a line of its own."""
    return [inline or line for inline, line in _CODE.findall(page.read_text("utf-8"))]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def verbs_of(command: Any) -> dict[str, set[str]]:
    """Return the verbs of the command, each with those below it."""
    return {name: set(getattr(each, "commands", ())) for name, each in command.commands.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_path_exists_when_a_page_names_it(name: str) -> None:
    """A path or a link in the docs leads somewhere."""
    page = ROOT / name
    linked = [(page.parent / link) for link in _LINK.findall(page.read_text("utf-8"))]
    named = [ROOT / code for code in code_in(page) if _PATH.match(code)]
    assert not [str(path) for path in [*linked, *named] if not path.exists()]


@pytest.mark.parametrize("name", NAMES)
def test_every_heading_exists_when_a_page_links_to_it(name: str) -> None:
    """A link to a section leads to that section."""
    page = ROOT / name
    missing = [
        f"{path}#{anchor}"
        for path, anchor in _ANCHOR.findall(page.read_text("utf-8"))
        if anchor not in anchors_of(page.parent / path if path else page)
    ]
    assert not missing


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists_when_a_page_names_it(name: str) -> None:
    """A make target or a verb of the command in the docs can be run."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    verbs = verbs_of(get_command(app))
    for code in code_in(ROOT / name):
        words = [word for word in code.split() if not word.startswith("-")]
        if words[:1] == ["make"] and len(words) > 1:
            assert words[1] in targets, code
        if words[:1] == ["flywheel"] and len(words) > 1 and words[1].islower():
            assert words[1] in verbs, code
            below = verbs[words[1]]
            assert not below or words[2:3] == [] or words[2] in below, code

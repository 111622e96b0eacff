import unicodedata
from collections.abc import Callable

import pytest

from flywheel.notices.notice import (
    Notice,
    UploadNews,
    file_name,
    shown,
    subject,
    upload_digest,
    wrapped,
)

HOSTILE = [
    "a\nSubject: hello",
    "a\r\nb",
    "tab\there",
    "nul\0byte",
    "bidi\u202egnp.exe",
    "isolate\u2066x\u2069",
    "zero\u200bwidth\ufeff",
    "line\u2028para\u2029next\u0085",
    "http://evil.example/x",
    "HTTPS://evil.example/x",
    "escape\x1b[31mred",
    "\ud800 lone",
    "x" * 5000,
    "\u202e" * 500,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_data_is_harmless_when_it_is_shown(text: str) -> None:
    """It is one short line without controls, direction marks or links."""
    seen = shown(text)
    assert len(seen) <= 80
    assert seen.splitlines() == [seen]
    assert not [char for char in seen if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")]
    assert "://" not in seen
    assert seen.encode()


@pytest.mark.parametrize("text", ["weekly report.csv", "naïve — 日本 🎡", "a,b;c'd\"e", "100 %"])
def test_text_from_data_stays_as_it_is_when_it_is_harmless(text: str) -> None:
    """People recognise their own names."""
    assert shown(text) == text


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("tickets/train/monday.csv", "monday.csv"),
        ("monday.csv", "monday.csv"),
        ("tickets/train/", "tickets/train/"),
        ("tickets/train/" + "x" * 100, "x" * 37 + "..."),
        ("tickets/train/a\nb.csv", r"a\nb.csv"),
        ("tickets/train/<https://evil>x.csv", "<https[:]//evil>x.csv"),
        ("tickets/train/new/see http://a/b/x.csv", "see http[:]//a/b/x.csv"),
    ],
)
def test_a_file_is_named_when_its_key_is_long(key: str, name: str) -> None:
    """A file is named by the last part of its key."""
    assert file_name(key) == name


@pytest.mark.parametrize("words", [*HOSTILE, "PROMOTED, F1 0.861 -> 0.884 (+0.023)", "日本"])
@pytest.mark.parametrize("flywheel", ["tickets", None])
def test_a_subject_is_taken_by_the_service_when_its_words_are_not(
    words: str, flywheel: str | None
) -> None:
    """A subject is one line of at most 99 printable ASCII characters."""
    found = subject("prod", flywheel, words)
    assert found.startswith("[prod] tickets: " if flywheel else "[prod] ")
    assert len(found) <= 99
    assert found.isascii()
    assert found.isprintable()


@pytest.mark.parametrize(
    "text", ["one two " * 50, "x" * 300, "a " + "y" * 100 + " b", "well-known " * 20]
)
def test_lines_are_short_when_text_is_wrapped(text: str) -> None:
    """Only a single long word makes a line longer, so that ids and names can be copied whole."""
    lines = wrapped(text, indent="  ", bullet="- ").split("\n")
    assert lines[0].startswith("  - ")
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(len(line) <= 78 or " " not in line.strip("- ") for line in lines)
    assert " ".join(" ".join(lines).removeprefix("  - ").split()) == " ".join(text.split())


LINES = ["line 1: bad", "line 2: " + "very bad indeed, " * 8]
REMEDY = "Repair the file and upload it again."


def news(number: int) -> UploadNews:
    """Return the news of a numbered upload."""
    name = f"file-{number}.csv"
    return UploadNews(f"tickets/train/{name}", f"REFUSED {name}: 2 bad rows", LINES, REMEDY)


@pytest.mark.parametrize(("count", "name"), [(1, "digest_of_one"), (2, "digest_of_two")])
def test_uploads_are_told_together_when_they_came_together(
    count: int, name: str, same_as_golden: Callable[[Notice, str], None]
) -> None:
    """One upload has its headline as subject; of many the first are told in full."""
    items = [news(number) for number in range(1, count + 1)]
    same_as_golden(upload_digest("dev", "tickets", items, "digest-1"), name)


def test_a_digest_fits_a_message_when_its_uploads_are_many() -> None:
    """What SNS takes is never exceeded; the uploads beyond it are counted."""
    wide = UploadNews("tickets/train/a.csv", "REFUSED a.csv: 20 bad rows", ["語" * 3000], REMEDY)
    notice = upload_digest("dev", "tickets", [wide] * 60, "digest-1")
    assert len(notice.body.encode()) < 128_000
    assert "more uploads" in notice.body


@pytest.mark.parametrize(("flywheel", "command"), [("tickets", "uploads tickets"), (None, "log")])
def test_a_digest_leads_to_where_the_refused_uploads_are(
    flywheel: str | None, command: str
) -> None:
    """Uploads that belong to no flywheel are in the log alone."""
    notice = upload_digest("dev", flywheel, [news(1)], "digest-1")
    assert f"Look closer: flywheel {command} --env dev\n" in notice.body


def test_no_flywheel_is_named_when_an_upload_belongs_to_none() -> None:
    """The subject of a misplaced upload names only the environment."""
    notice = upload_digest("dev", None, [news(1)], "digest-1")
    assert notice.subject == "[dev] REFUSED file-1.csv: 2 bad rows"

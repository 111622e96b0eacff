"""No control character and no link goes out to mail, Slack or a terminal, whatever comes in."""

import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from console.errors import CommandError, ExitCode
from console.terminal import Terminal
from flywheel.batches.uploads import place_of
from flywheel.errors import MisplacedKeyError
from flywheel.intake.labeled_documents import LabeledDocuments
from flywheel.notices import acts as act_notices
from flywheel.notices import rebuilds as rebuild_notices
from flywheel.notices import uploads as upload_news
from flywheel.notices.batches import BatchFacts, empty, failed, rejudging, started
from flywheel.notices.notice import Notice, body, subject, upload_digest
from flywheel.notices.slack import message
from flywheel.untrusted_text import unlinked, visible

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PIECES = (
    *("\x1b[31m", "\x1b]8;;https://evil.example\x07", "\x9b2J", "\r", "\n", "\t", "\b", "\0"),
    *("\x7f", "\u202e", "\u2066", "\u200b", "\u2028", "\U000e0041", "\ufeff", "\x85"),
    *("https://evil.example/a", "HTTP://EVIL.EXAMPLE", "www.evil.example", "evil.example/x.csv"),
    *("ann@evil.example", "xn--e1afmkfd.xn--p1ai", "пример.рф", "javascript://evil.example"),
    *("evil\u3002com", "evil\uff0ecom", "evil\uff61com/x", "evil.भारत", "EVIL.zip", "10.1.2.3/x"),
    *("//evil.example/x", "mailto:root@localhost", "[2001:db8::1]/x", "\\\\evil\\share"),
    *("<https://evil.example|click>", "<!channel>", "<@U1>", "&lt;", "weekly.csv", "a b", "é"),
)
_LINK = re.compile(
    r"://|\bwww\.|\bmailto:|@[\w-]+\.\w|\d\.\d+\.\d+\.\d|\[[0-9a-f]*::|(?<!\\)\\\\\w"
    r"|[\w-][.\u3002\uff0e\uff61](?:example|com|zip|рф|भारत|xn--p1ai)(?!\w)",
    re.IGNORECASE,
)
"""What becomes a link in a mail or a chat, of what is in the pieces."""


def hostile(chance: random.Random) -> str:
    """Return a text as nobody would want it."""
    return "".join(chance.choices(PIECES, k=chance.randint(1, 6)))


def is_harmless(text: str, *, is_line: bool = False) -> bool:
    """Say whether a terminal obeys nothing in a text, line feeds apart."""
    return not any(
        unicodedata.category(char)[0] == "C" or unicodedata.category(char) in {"Zl", "Zp"}
        for char in (text if is_line else text.replace("\n", ""))
    )


def notices(text: Callable[[], str]) -> Iterator[Notice]:
    """Give notices of every kind, with such a text wherever one comes from outside."""
    place = ("prod", "tickets")
    yield act_notices.paused(*place, text(), text(), NOW)
    yield act_notices.resumed(*place, text(), text(), paused_for=text(), now=NOW)
    yield act_notices.withdrawn(
        *place,
        [text()],
        [text()],
        live_trained_on=[text()],
        reason=text(),
        actor=text(),
        now=NOW,
    )
    yield rebuild_notices.rebuilding(*place, 2, text(), actor=text(), now=NOW)
    yield rebuild_notices.rebuild_failed(*place, 2, text(), NOW)
    yield rebuild_notices.rebuilt(
        *place, before_arns=[text()], arn=text(), endpoints=[text()], now=NOW
    )
    yield rebuild_notices.rebuild_given_up(
        *place,
        2,
        arn=text(),
        before_arn=text(),
        is_return=True,
        taint=[text()],
        reason=text(),
        actor=text(),
        now=NOW,
    )
    yield act_notices.champion_changed(*place, text(), text(), NOW)
    yield act_notices.outside_iteration(*place, text(), text())
    facts = BatchFacts(*place, 3, text(), [text()], text(), text(), taint=[text()])
    yield failed(facts, text(), text(), is_still_running=False)
    yield empty(facts, {text(): 1}, [text()])
    yield rejudging(facts, 2, documents=3, before=1, left_out={text(): 1})
    yield started(
        facts,
        documents=3,
        label_counts={text(): 3},
        left_out={text(): 1},
        waiting_labels=[text()],
        has_test_set=True,
        past_seconds=[],
    )
    key, words = text(), text()
    file = LabeledDocuments([f"{words},x\nbilling,{words}".encode()], ["billing"], name=key)
    with pytest.raises(MisplacedKeyError) as error:
        place_of(key, {"tickets"})
    for news in (
        upload_news.refused(key, file.read_through()),
        upload_news.misplaced(key, str(error.value)),
        upload_news.unpairable(key, words),
        upload_news.never_paired(key, words),
        upload_news.gone(key),
    ):
        yield upload_digest("prod", "tickets", [news], "id")
    yield Notice(
        "id",
        subject("prod", None, text()),
        body(
            live=text(),
            why=[text(), f"  {text()}"],
            todo=text(),
            table=[text()],
            command=text(),
            ids=[text()],
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        *("tickets.csv", "week.1.jsonl", "documents.tar.gz", "annotations.entities", "v1.2.3"),
        *("csv.label", "States.TaskFailed", "s3://inbox/tickets/train/monday.csv", "F1 0.804."),
        *("label:x", "[12:30:45]", "\\u202e", "下一句。好的", "end.Then", "12.5.2026", "wwwx.csv"),
    ],
)
def test_a_text_stays_when_no_program_makes_a_link_of_it(text: str) -> None:
    """Names of files, keys and errors are for people to read and to copy."""
    assert unlinked(text) == text


@pytest.mark.parametrize("text", PIECES)
def test_a_text_is_the_same_when_it_is_unlinked_twice(text: str) -> None:
    """A line goes into a body, and a body into a chat."""
    once = unlinked(visible(text))
    assert not _LINK.search(once)
    assert unlinked(once) == once


@pytest.mark.parametrize("seed", range(40))
def test_no_control_and_no_link_is_sent_when_texts_are_hostile(seed: int) -> None:
    """Subjects are one line; mails and chats hold nothing that can be clicked or obeyed."""
    chance = random.Random(seed)
    for notice in notices(lambda: hostile(chance)):
        assert is_harmless(notice.subject, is_line=True)
        assert is_harmless(notice.body)
        assert not _LINK.search(notice.subject), notice.subject
        assert not _LINK.search(notice.body), _LINK.findall(notice.body)
        assert_harmless_in_slack(message(notice.subject, notice.body))


@pytest.mark.parametrize("seed", range(40))
def test_no_control_and_no_link_is_posted_when_an_alarm_is_hostile(seed: int) -> None:
    """What another sender gave to the topic is as harmless as our own notices."""
    chance = random.Random(seed)
    assert_harmless_in_slack(message(hostile(chance), hostile(chance)))


def assert_harmless_in_slack(document: dict[str, Any]) -> None:
    """Require a message in which Slack finds nothing to obey or to link."""
    for text in (document["text"], *(block["text"]["text"] for block in document["blocks"])):
        assert is_harmless(text)
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", text)
        assert not _LINK.search(text), _LINK.findall(text)


@pytest.mark.parametrize("seed", range(40))
def test_no_control_reaches_the_terminal_when_texts_are_hostile(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every way of printing shows control characters; a JSON document stays what it was."""
    chance = random.Random(seed)
    terminal = Terminal(is_json=False)
    text = hostile(chance)
    terminal.print(text, style="bold")
    terminal.print(text, indent=2)
    terminal.print_unwrapped(text)
    terminal.warn(text)
    table = Table(title=text)
    table.add_column(text)
    table.add_row(text)
    table.add_row(Text(text, "red"))
    terminal.show(table)
    terminal.fail(CommandError(ExitCode.USAGE, text, text, text))
    out, errors = capsys.readouterr()
    assert is_harmless(out)
    assert is_harmless(errors)
    Terminal(is_json=True).answer({"key": text, text: [text]})
    out, _ = capsys.readouterr()
    assert is_harmless(out)
    assert json.loads(out) == {"key": text, text: [text]}

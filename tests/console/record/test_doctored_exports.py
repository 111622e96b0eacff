"""Whatever is done to an export, it is refused in words that name the place; never with a trace."""

import json
import os
import random
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from console.record import offline_verifier
from console.record.offline_verifier import (
    RecordBrokenError,
    verify_files,
    verify_folder,
    verify_zip,
)
from tests.console.command_line import Run
from tests.console.record.doctored_exports import (
    DAY,
    DOCTORED,
    NAME,
    Files,
    doctored,
    export,
    verdict_key,
)

WHOLE = f"{verify_files(export())[1].words()}\n"
RUN_ALONE = [
    "entry: key added",
    "entry: true as seq",
    "entry: nested deeply",
    "entry: no UTF-8",
    "entry: seq of many digits",
    "verdict: nested deeply",
    "head: of another flywheel",
    "listing: parent path",
    "files: another letter case",
]
"""Doctored exports that are also verified as an auditor without our packages does it."""


def unpacked(files: Files, folder: Path) -> Path:
    """Write files into a folder."""
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def packed(files: Files, file: Path) -> Path:
    """Write files into a zip."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in files.items():
            archive.writestr(path, body)
    return file


def problem(verify: Callable[[], object]) -> str:
    """Return why something is refused."""
    with pytest.raises(RecordBrokenError) as broken:
        verify()
    return str(broken.value)


def run_alone(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what is in an export, with the standard library alone."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def refused(run: Run, file: Path) -> str:
    """Verify an export by the command; return why it is refused."""
    result = run("audit", "verify", str(file), "--json")
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    (chain,) = document["chains"]
    assert not document["is_whole"]
    assert "Traceback" not in result.output
    return str(chain["problem"])


def test_an_export_is_whole_when_nobody_touched_it(run: Run, tmp_path: Path) -> None:
    """In its folder, by itself and as a zip; no environment is asked for."""
    folder = unpacked(export(), tmp_path / "out")
    file = packed(export(), tmp_path / "out.zip")
    assert WHOLE.startswith("6 entries, 2 verdicts")
    assert f"{verify_folder(folder).words()}\n" == WHOLE
    alone = run_alone(folder)
    assert (alone.returncode, alone.stdout, alone.stderr) == (0, WHOLE, "")
    told = run("audit", "verify", str(file))
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout == f"out.zip: {WHOLE}"
    document = json.loads(run("audit", "verify", str(file), "--json").stdout)
    (chain,) = document["chains"]
    assert (document["file"], document["is_whole"]) == (str(file), True)
    assert (chain["chain"], chain["entries"], chain["verdicts"]) == (NAME, 6, 2)


def test_the_program_in_a_zip_is_not_run_when_it_is_verified(run: Run, tmp_path: Path) -> None:
    """It says whatever a forger wants; the installed one says what is."""
    files, words = doctored("entry: key added")
    files["verify.py"] = b"print('6 entries, 2 verdicts: unbroken')\n"
    assert run_alone(unpacked(files, tmp_path / "out")).returncode == 0
    assert words in refused(run, packed(files, tmp_path / "out.zip"))


@pytest.mark.parametrize(
    ("name", "words"), [("none.zip", "there is no such file"), ("folder.zip", "it is a folder")]
)
def test_it_is_a_usage_error_when_there_is_no_such_export(
    run: Run, tmp_path: Path, name: str, words: str
) -> None:
    """Nothing was verified, so nothing is called broken."""
    (tmp_path / "folder.zip").mkdir()
    result = run("audit", "verify", str(tmp_path / name))
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize("name", DOCTORED)
def test_a_doctored_export_is_refused_when_it_is_verified(
    run: Run, tmp_path: Path, name: str
) -> None:
    """Unpacked and as a zip, in the same words."""
    files, words = doctored(name)
    by_folder = problem(lambda: verify_folder(unpacked(files, tmp_path / "out")))
    assert words in by_folder
    assert "\n" not in by_folder
    by_command = refused(run, packed(files, tmp_path / "out.zip"))
    assert words in by_command


@pytest.mark.parametrize("name", RUN_ALONE)
def test_a_doctored_export_refuses_itself_when_its_program_is_run(
    tmp_path: Path, name: str
) -> None:
    """One line, and exit code 1."""
    files, words = doctored(name)
    done = run_alone(unpacked(files, tmp_path / "out"))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("BROKEN: ")
    assert words in line


def _replaced_by_folder(folder: Path, path: str) -> None:
    (folder / path).unlink()
    (folder / path).mkdir()


def _linked(folder: Path, path: str) -> None:
    there = folder.parent / "elsewhere"
    (folder / path).rename(there)
    (folder / path).symlink_to(there)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: _linked(folder, verdict_key(1)), f"{verdict_key(1)} is a link, not a file"),
        (lambda folder: _linked(folder, "head.json"), "head.json is a link, not a file"),
        (lambda folder: _linked(folder, "chain"), "chain is a link, not a file"),
        (lambda folder: os.mkfifo(folder / "entries"), "entries is no file"),
        (
            lambda folder: (folder / "__pycache__").mkdir(),
            "__pycache__ was added: an export has no such folder",
        ),
        (
            lambda folder: unpacked({"__pycache__/verify.cpython-311.pyc": b""}, folder),
            "__pycache__ was added: an export has no such folder",
        ),
        (
            lambda folder: unpacked({f"verdicts/{NAME}/__pycache__/x.pyc": b""}, folder),
            f"verdicts/{NAME}/__pycache__ was added: an export has no such folder",
        ),
        (
            lambda folder: (folder / "verdicts" / "other").mkdir(),
            "verdicts/other was added: it is an empty folder",
        ),
        (
            lambda folder: _replaced_by_folder(folder, "head.json"),
            "head.json was added: an export has no such folder",
        ),
        (
            lambda folder: _replaced_by_folder(folder, verdict_key(2)),
            f"{verdict_key(2)} was added: an export has no such folder",
        ),
        (
            lambda folder: (folder / b"\xff.txt".decode("utf-8", "surrogateescape")).write_text(""),
            "?.txt was added: an export has no such file",
        ),
    ],
)
def test_a_folder_is_refused_when_it_holds_what_no_export_does(
    tmp_path: Path, change: Callable[[Path], object], words: str
) -> None:
    """Links, folders and what is no file at all; the program says so too."""
    folder = unpacked(export(), tmp_path / "out")
    change(folder)
    assert words in problem(lambda: verify_folder(folder))
    done = run_alone(folder)
    assert (done.returncode, done.stderr) == (1, f"BROKEN: {words}\n")


def _member(name: str, **values: Any) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    for field, value in values.items():
        setattr(member, field, value)
    return member


LINK = 0o120777 << 16
NO_FILE = "was added: an export has no such file"


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (_member("head.json"), "head.json is there twice"),
        (_member(f"verdicts/{NAME}/"), f"verdicts/{NAME}/ is a folder, not a file"),
        (_member("head.json/"), "head.json/ is a folder, not a file"),
        (_member(verdict_key(3), external_attr=LINK), f"{verdict_key(3)} is a link or device"),
        (_member(verdict_key(3), compress_type=zipfile.ZIP_BZIP2), "is packed in another way"),
        (_member(verdict_key(3), compress_type=zipfile.ZIP_LZMA), "is packed in another way"),
        (_member("/etc/passwd"), f"/etc/passwd {NO_FILE}"),
        (_member("../verify.py"), f"../verify.py {NO_FILE}"),
        (_member(f"verdicts/{NAME}/../3.json"), f"verdicts/{NAME}/../3.json {NO_FILE}"),
        (_member(f"verdicts\\{NAME}\\3.json"), f"verdicts\\{NAME}\\3.json {NO_FILE}"),
        (_member("C:head.json"), f"C:head.json {NO_FILE}"),
        (_member("__pycache__/verify.pyc"), f"__pycache__/verify.pyc {NO_FILE}"),
        (_member(""), f" {NO_FILE}"),
    ],
)
def test_a_zip_is_refused_when_it_has_what_no_export_has(
    run: Run, tmp_path: Path, member: zipfile.ZipInfo, words: str
) -> None:
    """Nothing of it is unpacked to see that."""
    file = packed(export(), tmp_path / "out.zip")
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(member, b"{}" if not member.filename.endswith("/") else b"")
    assert words in refused(run, file)


def _central(file: Path, name: str) -> int:
    """Return where the zip's directory has the header of a member."""
    return file.read_bytes().rindex(name.encode()) - 46


def _patched(file: Path, name: str, offset: int, value: bytes) -> None:
    body, at = bytearray(file.read_bytes()), _central(file, name) + offset
    body[at : at + len(value)] = value
    file.write_bytes(body)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: _patched(file, "head.json", 8, b"\x01\x00"), "head.json is encrypted"),
        (lambda file: _patched(file, "head.json", 8, b"\x20\x00"), "the zip was changed: "),
        (
            lambda file: _patched(file, "head.json", 24, b"\xf0\xff\xff\xff"),
            "head.json is too much: with it there are more than",
        ),
        (lambda file: _patched(file, "head.json", 24, b"\x04\x00\x00\x00"), "the zip was changed"),
        (lambda file: _patched(file, "head.json", 42, b"\xff\xff\x00\x00"), "the zip was changed"),
        (lambda file: _patched(file, "head.json", 46, b"h\0ad.json"), "h?ad.json was added"),
        (lambda file: _patched(file, "head.json", 46, b"feed.json"), "feed.json was added"),
        (lambda file: _patched(file, "files.json", 46, b"f\xffles.json"), "was added"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1000]), "the zip was changed"),
        (lambda file: file.write_bytes(b""), "the zip was changed: File is not a zip file"),
        (lambda file: file.write_bytes(b"no zip"), "the zip was changed: File is not a zip file"),
        (lambda file: packed({}, file), "head.json is missing"),
    ],
)
def test_a_zip_is_refused_when_its_directory_is_forged(
    run: Run, tmp_path: Path, change: Callable[[Path], object], words: str
) -> None:
    """Encrypted, larger than it is, smaller, somewhere else, cut off or none."""
    file = packed(export(), tmp_path / "out.zip")
    change(file)
    assert words in refused(run, file)


def test_no_more_is_unpacked_than_is_allowed_when_a_zip_is_a_bomb(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where it says how large it is, nor where it calls itself small."""
    files = export()
    monkeypatch.setattr(offline_verifier, "LARGEST_BYTES", sum(map(len, files.values())))
    assert verify_zip(packed(files, tmp_path / "whole.zip"))[0] == NAME
    bomb = packed({**files, "entries.jsonl": b"0" * 50_000_000}, tmp_path / "bomb.zip")
    assert "entries.jsonl is too much" in refused(run, bomb)
    _patched(bomb, "entries.jsonl", 24, (100).to_bytes(4, "little"))
    assert "the zip was changed: Bad CRC-32" in refused(run, bomb)


def test_a_folder_is_refused_when_it_is_larger_than_an_export_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By bytes, before they are read, and by files."""
    folder = unpacked(export(), tmp_path / "out")
    with (folder / "entries.jsonl").open("r+b") as entries:
        entries.truncate(offline_verifier.LARGEST_BYTES + 1)
    assert "entries.jsonl is too much" in problem(lambda: verify_folder(folder))
    monkeypatch.setattr(offline_verifier, "MOST_FILES", 3)
    unpacked(export(), folder)
    assert "is too much" in problem(lambda: verify_folder(folder))


@pytest.mark.slow
def test_every_change_of_a_byte_is_refused_when_it_is_made_anywhere() -> None:
    """Another byte, one more, one less, in any file: always in words."""
    chance = random.Random(20260102)
    whole = export()
    for _ in range(3000):
        path = chance.choice(sorted(whole))
        body, byte = whole[path], bytes([chance.randrange(256)])
        at = chance.randrange(len(body))
        changed = chance.choice(
            [
                body[:at] + byte + body[at + 1 :],
                body[:at] + byte + body[at:],
                body[:at] + body[at + 1 :],
            ]
        )
        if changed != body:
            forged = {**whole, path: changed}
            assert problem(partial(verify_files, forged))
    assert verify_files(whole)[1].entries == 6


@pytest.mark.parametrize("name", ["event", "details", "batch"])
def test_an_entry_is_refused_when_it_is_nested_to_any_depth(name: str) -> None:
    """Whatever reads it, writes it or names it first finds that it is too deep."""
    whole = export()
    for depth in [*range(1, 1100, 13), 5_000, 50_000]:
        deep = b'{"batch":' * (name == "batch") + b"[" * depth + b"]" * depth
        deep += b"}" * (name == "batch")
        entry = b'{"details":' + deep + b"}\n"
        if name == "event":
            entry = b'{"details":{},"event":' + deep + b"}\n"
        assert problem(partial(verify_files, {**whole, "entries.jsonl": entry}))


@pytest.mark.slow
def test_nothing_else_is_read_out_of_a_zip_when_one_of_its_bytes_is_another(tmp_path: Path) -> None:
    """It is refused in words, unless what it holds is the same (as with the time of a file)."""
    chance = random.Random(20260103)
    file = packed(export(), tmp_path / "out.zip")
    whole = file.read_bytes()
    refusals = 0
    for _ in range(1500):
        at = chance.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :])
        try:
            name, counts = verify_zip(file)
        except RecordBrokenError:
            refusals += 1
        else:
            assert (name, counts.entries, counts.verdicts, counts.heads) == (NAME, 6, 2, 2)
    assert refusals > 750


def test_the_doctored_exports_differ_when_they_are_counted() -> None:
    """No two are the same, and none is the one that they are made of."""
    found = {name: tuple(sorted(doctored(name)[0].items())) for name in DOCTORED}
    assert len(set(found.values()) | {tuple(sorted(export().items()))}) == len(DOCTORED) + 1
    assert DAY in export()

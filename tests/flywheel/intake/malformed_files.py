"""Files that went wrong on their way, each full of words that must never leave them.

Every word of a document's text begins with `CANARY`, so that a quoted part of one shows, too.
"""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flywheel.settings.data_format import CsvLayout, DataFormat

CANARY = "qx"
LABELS = ("billing", "delivery", "account access")
TYPES = ("PERSON", "CITY")
_SERVICES_OWN = DataFormat()
ENTITIES, LISTS = DataFormat(task="entities"), DataFormat(task="entities", entities_from="list")
MULTI = DataFormat(mode="multi-label")
HEADED = DataFormat(csv=CsvLayout(header=True, label="label", text="text"))
THIRD = DataFormat(csv=CsvLayout(label=3, text=1))
_HEADER = "File,Line,Begin Offset,End Offset,Type\n"


@dataclass(frozen=True, slots=True)
class MalformedFile:
    """One upload, and what its flywheel is."""

    what: str
    data: bytes
    shape: DataFormat = _SERVICES_OWN
    companion: bytes | None = None
    labels: Sequence[str] = LABELS
    name: str = "file.csv"


def text_of(chance: random.Random, marks: str = "") -> str:
    """Return a document's text, with some marks within."""
    words = [
        CANARY + "".join(chance.choices("abcdefghij", k=chance.randint(1, 7)))
        for _ in range(chance.randint(1, 12))
    ]
    for mark in marks:
        place = chance.randrange(len(words))
        words[place] += mark + CANARY + "more"
    return " ".join(words)


def malformed_files(seed: int, rows: int = 12) -> Iterator[MalformedFile]:
    """Give every kind of malformed file, with texts of their own."""
    chance = random.Random(seed)
    good = [(chance.choice(LABELS), text_of(chance)) for _ in range(rows)]
    for what, lines in _csv_kinds(chance, good):
        data = "\n".join(lines).encode()
        for shape in (DataFormat(), MULTI, HEADED, THIRD):
            yield MalformedFile(f"{what} for {shape}", data, shape)
        yield MalformedFile(f"{what}, no labels", data, labels=())
        yield MalformedFile(f"{what}, damaged", _damaged(chance, data))
        yield MalformedFile(f"{what} as documents", data, ENTITIES, b"File", TYPES, "d.txt")
        yield MalformedFile(f"{what} as annotations", b"x\n", ENTITIES, data, TYPES, "d.txt")
        companion = (_HEADER + "\n".join(lines)).encode()
        yield MalformedFile(f"{what} below a header", b"x\n", ENTITIES, companion, TYPES, "d.txt")
        companion = ("Text,Type\n" + "\n".join(lines)).encode()
        yield MalformedFile(f"{what} as a list", b"x\n", LISTS, companion, TYPES, "d.txt")
        yield MalformedFile(f"{what}, cut", gzip.compress(data)[:-9], name="file.csv.gz")
    yield from _manifests(chance)
    yield from _pairs(chance)


def _csv_kinds(
    chance: random.Random, good: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, Sequence[str]]]:
    plain = [f"{label},{text}" for label, text in good]
    yield "swapped columns", [f"{text},{label}" for label, text in good]
    yield (
        "swapped columns, unlike texts",
        [f'"{text_of(chance, ",")}",{label}' for label, _ in good],
    )
    for mark in ";\t|":
        yield f"separated by {mark!r}", [f"{label}{mark}{text}" for label, text in good]
        yield (
            f"separated by {mark!r} with commas",
            [f"{label}{mark}{text_of(chance, ',')}" for label, _ in good],
        )
    yield "unquoted comma", [*plain, f"billing,{text_of(chance, ',')}"]
    yield "unquoted break", [*plain, f"billing,{text_of(chance, chr(10))},{text_of(chance)}"]
    yield (
        "unquoted break, comma behind",
        [f"{label},{text}\n{text_of(chance)}, {text_of(chance)}" for label, text in good],
    )
    yield "empty label", [*plain, f",{text_of(chance)}", f"|,{text_of(chance)}"]
    yield "label twice", [*plain, f"delivery,{good[0][1]}", f"billing,{good[0][1]}"]
    yield "texts as labels", [f"{text_of(chance)},{text_of(chance)}" for _ in good]
    yield "texts alone", [text for _, text in good]
    yield "texts with the delimiter", [f"{text_of(chance, '|')},billing" for _ in good]
    yield "a text behind a label", [f"billing|{text},{text}" for _, text in good]
    yield "a label within a text", [f"{text} billing,{text}" for _, text in good]
    yield "header of texts", [f"{text_of(chance)},{text_of(chance)}", *plain]
    yield "header", ["label,text", *plain]
    yield "header with more", [f"label,text,{text_of(chance)}", *plain]
    yield "three columns", [f"{text},{text},{label}" for label, text in good]
    yield "open quote", [*plain, f'billing,"{text_of(chance)}', *plain]
    yield "quote within", [f'billing,"{text}" {text_of(chance)}' for _, text in good]
    yield "texts as numbers", [f"{text},{'9' * 5000},{'1' * 20},2,{text}" for _, text in good]


def _damaged(chance: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(3):
        damaged[chance.randrange(len(damaged))] = chance.choice(b'\0\xff",\n;\r|')
    return bytes(damaged)


def _manifests(chance: random.Random) -> Iterator[MalformedFile]:
    text = text_of(chance)
    named = {"class-name": text, "type": "groundtruth/text-classification"}
    spans = [{"startOffset": 0, "endOffset": 3, "label": text}]
    rows: dict[str, object] = {
        "class-name is a text": {"source": "x", "job": 0, "job-metadata": named},
        "class-map is a text": {
            "source": "x",
            "job": [0],
            "job-metadata": {"class-map": {"0": f"{text}|billing"}},
        },
        "attributes are texts": {"source": text, text: 1, f"{text} too": 2},
        "attribute is a text": {"source": text, f"{text}-metadata": {}, text: {}},
        "failed": {"source": text, text: 0, f"{text}-metadata": {"failure-reason": text}},
        "source-ref": {"source-ref": text, "job": text},
        "no source": {text: text},
        "a list": [text],
        "types are texts": {"source": text, text: {"annotations": {"entities": spans}}},
        "offsets are texts": {
            "source": text,
            "job": {"annotations": {"entities": [{**spans[0], "startOffset": text}]}},
        },
    }
    for what, row in rows.items():
        lines = [json.dumps(row)] * 3 + [f'{{"source": "{text}", {text}']
        for shape in (DataFormat(), MULTI, ENTITIES):
            labels = TYPES if shape is ENTITIES else LABELS
            data = "\n".join(lines).encode()
            yield MalformedFile(what, data, shape, labels=labels, name="file.jsonl")


def _pairs(chance: random.Random) -> Iterator[MalformedFile]:
    text = text_of(chance)
    documents = f"{text}\n{text_of(chance)}\n".encode()
    for row in (
        f"{text},0,0,4,PERSON",
        f"d.txt,0,0,4,{text}",
        f"d.txt,0,0,9999,{TYPES[0]}",
        f"d.txt,{text},0,4,PERSON",
        f"d.txt,0,{'7' * 5000},4,PERSON",
        f"d.txt,99,0,4,{text}",
        f'd.txt,0,0,4,"{text}',
    ):
        yield MalformedFile(row, documents, ENTITIES, f"{_HEADER}{row}\n".encode(), TYPES, "d.txt")
    for row in (f"PERSON,{text}", f"{text},{text}", f"{text}", f"{text};PERSON", f",{text}"):
        companion = f"Text,Type\n{row}\n".encode()
        yield MalformedFile(row, documents, LISTS, companion, TYPES, "d.txt")

"""Invariants of the number of looks at test sets and pairs of models, and of the anchor.

Follows the audit from its first entry, and compares the end with the ledger. Read next: `at_rest`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

from application.port_values import Item
from flywheel.batches.batches import BatchName, BatchOutcome
from flywheel.evaluation.verdict import Verdict
from tests.simulation.memory.ports import MemoryPorts

Broken = Iterator[tuple[str, str]]
"""Invariants that do not hold, and by what."""

_FLYWHEEL = "FLYWHEEL#tickets"


@dataclass(slots=True)
class Looks:
    """What the audit says of looks, entry by entry.

    Parameters
    ----------
    ports : MemoryPorts
    version : int or None
        Of the generation's test set; None before its first.
    looks, documents, generation_looks : int
    pairs : dict of tuple to set of int
        By champion and challenger, the batches that compared them.
    generation : int
    left : dict of int to tuple
        By generation, what was counted when batches went to the next one.
    """

    ports: MemoryPorts
    version: int | None = None
    looks: int = 0
    documents: int = 0
    generation_looks: int = 0
    pairs: dict[tuple[str | None, str | None], set[int]] = field(default_factory=dict)
    generation: int = 1
    left: dict[int, tuple[int | None, int, int, int]] = field(default_factory=dict)

    def follow(self, entry: Item) -> Broken:
        """Take one entry in."""
        event, details = entry["event"], entry["details"]
        frozen = details if event == "test set frozen" else details.get("test_set") or {}
        if event == "generation switched":
            self._switch(details["generation"], is_return=details.get("is_return", False))
        elif frozen.get("version") is not None:
            self._freeze(frozen, details["batch"])
        elif event == "verdict":
            yield from self._look(details)

    def _switch(self, generation: int, *, is_return: bool) -> None:
        """Begin a generation, or go on with an earlier one: what was seen since counts there."""
        if is_return:
            version, looks, documents, generation_looks = self.left[generation]
            since = self.generation_looks
            if version is not None:
                self.looks, self.documents = looks + since, documents
            self.version, self.generation_looks = version, generation_looks + since
        else:
            counted = self.version, self.looks, self.documents, self.generation_looks
            self.left[self.generation] = counted
            self.version, self.generation_looks = None, 0
        self.generation = generation

    def _freeze(self, frozen: Mapping[str, Any], number: int) -> None:
        """Let looks wear off by the part of the documents that is new; late counts wear none."""
        documents = int(frozen["documents"])
        batch = self.ports.table.look(f"BATCH#tickets#{number}", "BATCH") or {}
        if frozen["version"] != self.version and not batch.get("rejudges"):
            share = Fraction(self.documents, documents)
            self.looks = min(self.looks, ceil(self.looks * share))
        self.version, self.documents = frozen["version"], documents

    def _look(self, details: Mapping[str, Any]) -> Broken:
        """Count a verdict, and see that it knows those before it on the same models."""
        name = BatchName("tickets", details["batch"], details["attempt"])
        stored = self.ports.table.look(f"VERDICT#tickets#{name.label}", "VERDICT") or {}
        verdict = Verdict.from_json(stored["verdict"])
        judged, evidence = json.loads(stored["facts"])["inputs"]["test_set"], verdict.evidence
        if judged is None or verdict.is_bootstrap or evidence.test_set is None:
            return
        pair = evidence.champion_arn, evidence.challenger_arn
        compared = self.pairs.setdefault(pair, set())
        earlier = len(compared - {name.batch})
        compared.add(name.batch)
        if evidence.test_set.pair_looks < earlier:
            words = f"batch {name.label} knows {evidence.test_set.pair_looks} of {earlier}"
            yield "looks at a pair are counted", words
        self.looks += judged["version"] == self.version
        self.generation_looks += 1


def check_looks(ports: MemoryPorts) -> Broken:
    """Look at the test set, the pairs of models and the anchor when everything is at rest."""
    row, followed = ports.table.look(_FLYWHEEL, "FLYWHEEL") or {}, Looks(ports)
    entries = sorted(ports.table.rows("AUDIT#tickets#"), key=lambda entry: int(entry["seq"]))
    for entry in entries:
        yield from followed.follow(entry)
    recorded = (row.get("test_set") or {}).get("looks", 0), row.get("generation_looks", 0)
    expected = followed.looks if followed.version is not None else 0, followed.generation_looks
    if recorded != expected:
        yield "looks are counted", f"{recorded} in the ledger, {expected} by the audit"
    anchor = _anchor(ports)
    if row.get("anchor") != anchor:
        yield "the anchor stays", f"{row.get('anchor')} in the ledger, {anchor} by the history"


def _anchor(ports: MemoryPorts) -> str | None:
    """Return the last model that people, or a gain that a verdict shows, made the champion."""
    anchor: str | None = None
    for entry in sorted(ports.table.rows(_FLYWHEEL, "CHAMPION#"), key=lambda each: each["number"]):
        if entry.get("model") is not None and _is_kept(ports, entry):
            anchor = entry["model"]
    return anchor


def _is_kept(ports: MemoryPorts, entry: Item) -> bool:
    """Say whether non-inferiority is measured from a champion on."""
    policy = ports.known["tickets"].settings.policy
    if entry.get("batch") is None or policy.comparison == "superiority":
        return True
    for row in ports.table.rows("VERDICT#"):
        if row["batch"] == entry["batch"] and row.get("outcome") == BatchOutcome.PROMOTED:
            verdict = Verdict.from_json(row["verdict"])
            is_challenger = verdict.evidence.challenger_arn == entry["model"]
            return verdict.is_bootstrap or not is_challenger or verdict.shows_gain
    return True

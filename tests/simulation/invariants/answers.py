"""Invariants of models' answers: which are paid for, which are stored, which verdicts use.

Compares with what the models really say (`texts`) of the documents that their jobs really read, and
not with what is stored. Read next: `memory.jobs` (who answers), `looks` (how often models
were compared), `at_rest` (who looks).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from application.comparison.stored_answers import AnswersMissingError
from application.port_values import Item
from console.record.derived_inputs import derive_inputs
from console.record.replay import first_difference, replayed
from flywheel.batches.batches import BatchName, BatchOutcome, BatchState
from flywheel.batches.known_rows import content_hash, record
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.paired_evidence import PairedEvidence
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.intake.labeled_rows import LabeledRow
from tests.simulation.memory.jobs import MemoryJob
from tests.simulation.memory.ports import MemoryPorts
from tests.simulation.memory.texts import answer_of, label_of
from tests.simulation.simulator import Simulator

Broken = Iterator[tuple[str, str]]
"""Invariants that do not hold, and by what."""

_FLYWHEEL = "FLYWHEEL#tickets"
_NO_REASON = "the service gives no reason"
_TOO_LATE = "it still ran when the deadline was over"
_OTHER_REASONS = ("was refused (AccessDeniedException)", "no job was started for")
"""What may come first: a call that is refused, a champion that a person made meanwhile."""

_FLAWS_AS_TOLD = {
    "absent": "NoSuchKey",
    "short": "documents have no answer",
    "torn": "the output of",
    "elsewhere": "wrote to s3://another/",
}


@dataclass(slots=True)
class AnswersWatch:
    """Looks at every job that is started.

    Parameters
    ----------
    simulator : Simulator
    ports : MemoryPorts
    """

    simulator: Simulator
    ports: MemoryPorts
    _asked: dict[tuple[str, str], str] = field(default_factory=dict)

    def see_job(self, arn: str) -> None:
        """See that no answer is paid for twice: in one attempt, or when it is stored already."""
        jobs = self.ports.account.jobs.jobs
        job = jobs[arn]
        started = [
            BatchName(row["flywheel"], row["batch"], row["attempt"]).label
            for row in self.ports.table.rows("BATCH#")
            if row["state"] == BatchState.STARTED
        ]
        for attempt in started:
            earlier = self._asked.setdefault((attempt, job.model), arn)
            if earlier != arn:
                words = f"{job.model} by {earlier} and {arn} in {attempt}"
                self.simulator.breaks("a model is asked once", words)
        for stored in self._stored():
            if stored.model == job.model and stored.source == job.source:
                words = f"{job.model} by {stored.arn} and {arn}"
                self.simulator.breaks("no answer is paid for twice", words)

    def _stored(self) -> Iterator[MemoryJob]:
        """Give the jobs whose answers are stored."""
        for key, body in self.ports.staging.objects.items():
            if key.startswith("answers/") and key.endswith(".jsonl"):
                facts = json.loads(body.split(b"\n", 1)[0])
                yield self.ports.account.jobs.jobs[facts["job"]]


def check_answers(ports: MemoryPorts) -> Broken:
    """Look at every verdict when everything has come to rest."""
    for row in ports.table.rows("VERDICT#"):
        verdict = Verdict.from_json(row["verdict"])
        if verdict.evidence.paired is not None:
            yield from _stands_on_one_test_set(ports, verdict, verdict.evidence.paired)
    yield from _what_failed_is_reported(ports)
    yield from _the_test_set_is_the_service_s(ports)
    yield from _every_verdict_is_replayed(ports)


def _stands_on_one_test_set(ports: MemoryPorts, verdict: Verdict, paired: PairedEvidence) -> Broken:
    """Check that both models answered this test set, and that the verdict has their answers."""
    evidence, jobs = verdict.evidence, ports.account.jobs.jobs
    judged = evidence.test_set.sha256 if evidence.test_set else ""
    hashes = {paired.test_set_sha256}
    for named in paired.predictions:
        job = jobs[named.job]
        hashes.add(_hash_of(job.texts))
        if job.model != named.model:
            yield "a verdict says what models answered", f"{named.job} is of {job.model}"
    if hashes != {judged}:
        words = f"{verdict.evidence.challenger_arn}: {sorted(hashes)} for {judged}"
        yield "a verdict stands on one test set", words
        return
    texts = jobs[paired.predictions[-1].job].texts
    new = _right(ports, evidence.challenger_arn or "", texts)
    old = new if evidence.champion_arn is None else _right(ports, evidence.champion_arn, texts)
    broken = old - new if evidence.champion_arn else set()
    if (paired.documents, paired.fixed, paired.broken) != (len(texts), len(new - old), len(broken)):
        words = (
            f"{evidence.challenger_arn}: {paired.fixed} fixed and {paired.broken} broken of "
            f"{paired.documents}; it is {len(new - old)} and {len(broken)} of {len(texts)}"
        )
        yield "a verdict says what models answered", words
    compared = {evidence.champion_arn, evidence.anchor_arn, evidence.challenger_arn} - {None}
    if compared != {named.model for named in paired.predictions}:
        yield "a verdict says what models answered", f"{sorted(map(str, compared))} were compared"
    if verdict.decision is Decision.PROMOTE and not verdict.is_bootstrap:
        yield from _is_good_enough(ports, verdict, len(new), len(old), texts)


def _is_good_enough(
    ports: MemoryPorts, verdict: Verdict, new: int, old: int, texts: Sequence[str]
) -> Broken:
    """See that a promoted model has more right answers, or not fewer by more than the margin.

    Nor has it fewer than the anchor by more than that, however many steps it took.
    """
    policy, anchor = ports.known["tickets"].settings.policy, verdict.evidence.anchor_arn
    is_gain_asked, most_lost = policy.comparison == "superiority", policy.margin * len(texts)
    if new < (old + 1 if is_gain_asked else old - most_lost):
        yield "a promotion beats the champion", f"{new} over {old} right answers"
    if anchor is not None and new < (first := len(_right(ports, anchor, texts))) - most_lost:
        yield "a promotion is near the anchor", f"{new} over {first} right answers"


def _hash_of(texts: Iterable[str]) -> str:
    return content_hash(record(LabeledRow(label_of(text), text)) for text in texts)


def _right(ports: MemoryPorts, model: str, texts: Iterable[str]) -> set[str]:
    """Return the texts of which a model says what is so."""
    quality = ports.account.shared.quality[model]
    return {text for text in texts if answer_of(model, quality, text) == label_of(text)}


def _what_failed_is_reported(ports: MemoryPorts) -> Broken:
    """See that a job that did not end well holds the challenger, and that people hear why."""
    for row in ports.table.rows("BATCH#"):
        jobs = [ports.account.jobs.jobs[arn] for arn in row.get("answer_jobs", {}).values()]
        reasons = {_reason(job) for job in jobs} - {None}
        if not reasons or row.get("outcome") in {None, BatchOutcome.FAILED}:
            continue
        name = BatchName(row["flywheel"], row["batch"], row["attempt"])
        stored = ports.table.look(f"VERDICT#tickets#{name.label}", "VERDICT") or {}
        evidence = Verdict.from_json(stored["verdict"]).evidence
        compared = {evidence.champion_arn, evidence.anchor_arn, evidence.challenger_arn}
        if not row["answer_jobs"].keys() <= compared and not evidence.paired_missing:
            # A person changed the champion, or the anchor, meanwhile: others are compared.
            continue
        attempt = f"-{row['attempt']}" if row["attempt"] > 1 else ""
        notice_id = f"tickets-batch-{row['batch']}{attempt}-verdict"
        body = " ".join(ports.topic.bodies.get(notice_id, "").split())
        is_reported = any(str(reason) in body for reason in (*reasons, *_OTHER_REASONS))
        if row["outcome"] != BatchOutcome.HELD or not is_reported:
            yield "a failed job holds and is reported", f"{notice_id} {row['outcome']}: {reasons}"


def _reason(job: MemoryJob) -> str | None:
    """Return what people must hear of a job, or None where it ended well."""
    if job.status == "COMPLETED":
        return _FLAWS_AS_TOLD[job.flaw] if job.flaw else None
    return job.message or _NO_REASON if job.status == "FAILED" else _TOO_LATE


def _the_test_set_is_the_service_s(ports: MemoryPorts) -> Broken:
    """See that the rows that were frozen are those by which the service judges."""
    frozen = (ports.table.look(_FLYWHEEL, "FLYWHEEL") or {}).get("test_set")
    held = [text for _, text in ports.current.held(DatasetKind.TEST).elements()]
    recorded = (frozen["sha256"], frozen["documents"]) if frozen else (_hash_of([]), 0)
    if recorded != (_hash_of(held), len(held)):
        words = (
            f"{recorded[1]} documents in the ledger ({recorded[0][:8]}), {len(held)} in the service"
        )
        yield "the test set is the service's", words


def _every_verdict_is_replayed(ports: MemoryPorts) -> Broken:
    """See that every verdict follows, to the last byte, from stored documents."""
    objects = ports.verdicts.objects.items()
    documents = {key: body.decode() for key, body in objects if key.startswith("verdicts/")}
    rows = ports.table.rows("AUDIT#tickets#")
    entries = sorted(rows, key=lambda entry: int(entry["seq"]))
    for key, text in documents.items():
        document: Item = json.loads(text)
        service = ports.account.flywheels[document["flywheel_arn"]]
        known = ports.known[document["flywheel"]]
        shape = known.shape(service.task_config)
        try:
            derived = derive_inputs(document, documents, entries, ports.staging, shape)
            again = replayed(document, ports.staging, known, service.task_config, derived)
        except AnswersMissingError as error:
            yield "every verdict can be replayed", f"{key}: {error}"
            continue
        difference = first_difference(text, again)
        if difference is not None:
            yield "every verdict can be replayed", f"{key}: {difference}"

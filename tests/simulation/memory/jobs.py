"""Jobs in memory in which models answer files of documents, as the service's documentation says.

Stands for `adapters.answer_jobs.AnswerJobs`, of all flywheels. Tokens are remembered; a job reads
its file while it runs, may take long, fail, never end, or end with an output that is of no use.
"""

import io
import itertools
import json
import random
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from application.port_values import AnswerJob
from tests.simulation.memory.buckets import MemoryStaging
from tests.simulation.memory.service_facts import Effect, Shared
from tests.simulation.memory.texts import answer_of
from tests.simulation.simulator import Simulator

_PREFIX = "arn:aws:comprehend:us-east-1:123456789012:document-classification-job/"
_SECONDS = (300, 1200, 3600)
_SWARM = (0.0, 1.0, 3.0)

FLAWS = ("absent", "short", "torn", "elsewhere")
"""What an output of no use is."""


@dataclass(frozen=True, slots=True)
class JobRates:
    """The rates of faults of a job.

    Parameters
    ----------
    fails, hangs, is_useless : float
        It ends FAILED; it never ends; it ends well and its output cannot be used.
    """

    fails: float = 0.1
    hangs: float = 0.05
    is_useless: float = 0.07

    @classmethod
    def drawn(cls, chance: random.Random) -> "JobRates":
        """Draw the rates of one history: some faults absent, some frequent."""
        usual = cls()
        return cls(
            **{rate.name: getattr(usual, rate.name) * chance.choice(_SWARM) for rate in fields(cls)}
        )


@dataclass(slots=True)
class MemoryJob:
    """One job.

    Parameters
    ----------
    arn, model : str
    source, output : str
        URIs of its documents and of its archive.
    submitted_at : datetime
    texts : tuple of str
        The documents that it read.
    flaw : str
        Why its output is of no use: one of `FLAWS`, or nothing.
    """

    arn: str
    model: str
    source: str
    output: str
    submitted_at: datetime
    status: str = "SUBMITTED"
    message: str = ""
    ended_at: datetime | None = None
    texts: tuple[str, ...] = ()
    flaw: str = ""


@dataclass(slots=True)
class MemoryJobs:
    """All jobs of the account.

    Parameters
    ----------
    simulator : Simulator
    staging : MemoryStaging
        From where documents are read, and where archives are written.
    shared : Shared
        Has the quality of each model.
    rates : JobRates
    jobs : dict of str to MemoryJob
        By ARN, oldest first.
    """

    simulator: Simulator
    staging: MemoryStaging
    shared: Shared
    rates: JobRates = field(default_factory=JobRates)
    jobs: dict[str, MemoryJob] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # What functions call.

    def start(self, model_arn: str, input_uri: str, output_uri: str, token: str) -> str:
        """Start a job on one document a line and return its ARN; a repeat returns the same."""

        def begin() -> str:
            if token not in self._tokens:
                self._tokens[token] = self._begin(model_arn, input_uri, output_uri)
            return self._tokens[token]

        return self.simulator.call("answer_jobs.start", begin, is_repeatable=True)

    def describe(self, job_arn: str) -> AnswerJob:
        """Return a job as it is now."""

        def look() -> AnswerJob:
            job = self.jobs[job_arn]
            seconds = (job.ended_at - job.submitted_at).total_seconds() if job.ended_at else 0.0
            return AnswerJob(job.arn, job.model, job.status, job.message, job.output, seconds)

        return self.simulator.call("answer_jobs.describe", look)

    # What the state machine asks, in the service's own words.

    def describe_classification(self, job_id: str) -> dict[str, Any]:
        """Return the answer to DescribeDocumentClassificationJob."""
        job = self.jobs[f"{_PREFIX}{job_id}"]
        return {"DocumentClassificationJobProperties": {"JobStatus": job.status}}

    # What the service does by itself.

    def forget_tokens(self) -> None:
        """Remember no token."""
        self._tokens.clear()

    def _begin(self, model: str, source: str, output: str) -> str:
        simulator, arn = self.simulator, f"{_PREFIX}{next(self._numbers)}"
        archive = f"{output}123456789012-CLN-{arn.rsplit('/', 1)[-1]}/output/output.tar.gz"
        job = MemoryJob(arn, model, source, archive, simulator.now)
        self.jobs[arn] = job
        for watcher in self.shared.watchers:
            watcher(Effect("", "start_job", arn))
        simulator.note(f"job {arn.rsplit('/', 1)[-1]} of {model} is SUBMITTED")
        if not simulator.happens(self.rates.hangs):
            simulator.later(simulator.chance.choice(_SECONDS), lambda: self._end(job))
        return arn

    def _end(self, job: MemoryJob) -> None:
        job.texts = tuple(self.staging.objects[self._key(job.source)].decode().splitlines())
        job.ended_at = self.simulator.now
        if self.simulator.happens(self.rates.fails):
            job.status = "FAILED"
            job.message = self.simulator.chance.choice(["", "no access to the key"])
        else:
            job.status = "COMPLETED"
            self._write(job)
        self.simulator.note(f"job {job.arn.rsplit('/', 1)[-1]} is {job.status}")

    def _write(self, job: MemoryJob) -> None:
        """Write a job's archive, which now and then is of no use."""
        quality = self.shared.quality[job.model]
        classes = (answer_of(job.model, quality, text) for text in job.texts)
        lines = [
            {"File": "documents.txt", "Line": str(number), "Classes": [{"Name": name, "Score": 1}]}
            for number, name in enumerate(classes)
        ]
        if self.simulator.happens(self.rates.is_useless):
            job.flaw = self.simulator.chance.choice(FLAWS)
            self.simulator.note(f"the output of job {job.arn.rsplit('/', 1)[-1]} is {job.flaw}")
        archive = _archive(lines[:-1] if job.flaw == "short" else lines)
        if job.flaw == "elsewhere":
            job.output = job.output.replace(self.staging.bucket, "another", 1)
        elif job.flaw != "absent":
            there = len(archive) // 2 if job.flaw == "torn" else len(archive)
            self.staging.objects[self._key(job.output)] = archive[:there]

    def _key(self, uri: str) -> str:
        return uri.removeprefix(f"s3://{self.staging.bucket}/")


def _archive(lines: list[dict[str, Any]]) -> bytes:
    """Return a gzipped archive of one file of JSON lines."""
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("predictions.jsonl")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    return archive.getvalue()

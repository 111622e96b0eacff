"""What a decision takes by both models' answers: `python -m benchmarks decision`.

The product's own code, which is plain Python, beside the same tests by SciPy: 2,000 exchanges of
answers, 1,000 resamples, of macro-F1 and of F1 of one label. Each way runs in a process of its own.
A second table says what SciPy would add to the functions' asset. Read next:
`flywheel.evaluation.resampling`, `flywheel.evaluation.draws`.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.memory import peak_mib
from benchmarks.tables import Result
from flywheel.evaluation.evidence import Evidence, TestSetFacts, averages
from flywheel.evaluation.looks import error_of_look
from flywheel.evaluation.paired_evidence import paired_evidence
from flywheel.evaluation.predictions import Answer, ScoredDocument, tallies
from flywheel.evaluation.resampling import DRAWS, RESAMPLES
from flywheel.evaluation.verdict import decide, measured_by
from flywheel.settings.policy import METRICS, Policy

_CASES = ((1_000, 8), (10_000, 77), (100_000, 100))
"""Test documents, and labels; the last is the bar: 5 s and 512 MiB."""

_QUICK_CASES = 1
_RIGHT, _DISAGREEMENT = 0.85, 0.1
_ASSET = Path(__file__).resolve().parents[1] / "functions"
_UNZIPPED_MOST_MIB = 250
"""*Source*: Lambda developer guide, quotas: deployment package, unzipped, layers included."""

_POLICY = Policy(critical_labels=("label 0",))
_BATCH = 20
"""Draws that SciPy holds in memory at a time."""

Answered = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Each document's label, and what the champion and the challenger said."""


def measure(*, quick: bool = False) -> list[Result]:
    """Decide on more and more documents, in both ways."""
    rows = []
    for documents, labels in _CASES[:_QUICK_CASES] if quick else _CASES:
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.decision", way, str(documents)]
            answer = subprocess.run(
                [*command, str(labels)], check=True, capture_output=True, text=True
            )
            found = json.loads(answer.stdout)
            rows.append(
                (
                    *(f"{documents:,}", f"{labels:,}", way, f"{found['p']:.4f}"),
                    *(f"{found['low']:+.4f} to {found['high']:+.4f}", f"{found['imports']:.2f}"),
                    *(f"{found['seconds']:.2f}", f"{found['peak']:.0f}"),
                )
            )
    columns = (
        *("test documents", "labels", "way", "p", "bounds of macro-F1's gain", "imports, s"),
        *("decision, s", "peak MiB"),
    )
    notes = (
        f"The models disagree on about one document in ten. Macro-F1 and F1 of a critical label "
        f"get {DRAWS:,} exchanges and {RESAMPLES:,} resamples. SciPy does this with "
        "permutation_test and bootstrap and vectorised statistics. These exchange the answers to "
        "all documents and draw again for each metric; ours exchanges only the answers that "
        "differ. p and bounds differ by the draws. "
        "Seconds are of CPU time, on one processor; CompareModels has one whole "
        "processor in Lambda. Peak is the resident set, with Python, imports and all answers.",
    )
    return [Result("A decision by both models' answers", columns, rows, notes), _asset()]


def _asset() -> Result:
    """Say what the functions' asset weighs, and what it would with NumPy and SciPy."""
    own = sum(file.stat().st_size for file in _ASSET.rglob("*.py"))
    rows = [("the functions as they are", _mib(own))]
    for name in ("numpy", "scipy"):
        files = metadata.files(name) or []
        size = sum(path.stat().st_size for file in files if (path := Path(file.locate())).exists())
        rows.append((f"{name} {metadata.version(name)}, as installed here", _mib(size)))
    note = f"Lambda accepts {_UNZIPPED_MOST_MIB} MiB unzipped, including the layers of a function."
    return Result("What SciPy would add to the asset", ("what", "MiB"), rows, (note,))


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f}"


def _answered(documents: int, labels: int) -> Answered:
    """Make up what two models say: mostly right, and mostly the same."""
    random = Random(documents)
    actual, old, new = [], [], []
    for _ in range(documents):
        label = random.randrange(labels)
        said = label if random.random() < _RIGHT else random.randrange(labels)
        actual.append(label)
        old.append(said)
        new.append(said if random.random() > _DISAGREEMENT else _other(random, label, labels))
    return actual, old, new


def _other(random: Random, label: int, labels: int) -> int:
    return label if random.random() < _RIGHT + 0.05 else random.randrange(labels)


def plain(answered: Answered, labels: int) -> tuple[float, float, float]:
    """Judge as CompareModels does, and return p and bounds of macro-F1's gain."""
    documents = [
        ScoredDocument(
            f"{place:064x}",
            ((f"label {actual}", 1),),
            _answer(actual, old),
            _answer(actual, new),
        )
        for place, (actual, old, new) in enumerate(zip(*answered, strict=True))
    ]
    error = error_of_look(_POLICY)
    paired = paired_evidence(
        documents,
        measured_by(_POLICY),
        kind="multi-class",
        labels=labels,
        error=error,
        test_set_sha256="0" * 64,
    )
    both = tallies(documents, kind="multi-class", labels=labels)
    champion, challenger = (
        averages({name: value for name in METRICS if of and (value := of.metric(name)) is not None})
        for of in both
    )
    evidence = Evidence(
        champion_arn="champion",
        champion=champion,
        challenger_arn="challenger",
        challenger=challenger,
        has_test_set=True,
        test_set=TestSetFacts("0" * 64, len(documents), dict(both[1].actual)),
        paired=paired,
    )
    verdict = decide(evidence, _POLICY)
    found = next(
        rule
        for rule in verdict.outcomes
        if rule.metric == "AverageF1Score" and rule.p_value is not None
    )
    return float(found.p_value or 0), float(found.low or 0), float(found.high or 0)


def _answer(actual: int, told: int) -> Answer:
    said = ((f"label {told}", 1),)
    return Answer(said, said if told == actual else ())


def by_scipy(answered: Answered, labels: int) -> tuple[float, float, float]:
    """Do the same tests with arrays, and return p and bounds of macro-F1's gain."""
    import numpy as np  # noqa: PLC0415 - the other way does without
    from scipy import stats  # noqa: PLC0415 - as NumPy above

    actual, old, new = (np.array(each, np.int32) for each in answered)

    def f1(is_so: Any, said: Any) -> Any:
        rows = said.reshape(-1, said.shape[-1])
        real = np.broadcast_to(is_so, said.shape).reshape(rows.shape)
        firsts = np.arange(len(rows))[:, None] * labels

        def counted(of: Any) -> Any:
            return np.bincount(of.ravel(), minlength=len(rows) * labels).reshape(-1, labels)

        right = np.bincount((firsts + real)[real == rows], minlength=len(rows) * labels)
        both = counted(firsts + real) + counted(firsts + rows)
        return (2 * right.reshape(-1, labels) / np.maximum(1, both)).reshape(
            *said.shape[:-1], labels
        )

    def wanted(of: Any, label: int | None) -> Any:
        return of.mean(axis=-1) if label is None else of[..., label]

    found: dict[int | None, tuple[float, float, float]] = {}
    for label in (None, 0):
        p = stats.permutation_test(
            (new, old),
            lambda new, old, axis, label=label: (
                wanted(f1(actual, new), label) - wanted(f1(actual, old), label)
            ),
            permutation_type="samples",
            vectorized=True,
            n_resamples=DRAWS,
            batch=_BATCH,
            alternative="greater",
            rng=np.random.default_rng(1),
        ).pvalue
        bounds = stats.bootstrap(
            (actual, new, old),
            lambda so, new, old, axis, label=label: (
                wanted(f1(so, new), label) - wanted(f1(so, old), label)
            ),
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=_BATCH,
            confidence_level=1 - 2 * error_of_look(_POLICY),
            method="percentile",
            rng=np.random.default_rng(2),
        ).confidence_interval
        found[label] = (float(p), float(bounds.low), float(bounds.high))
    return found[None]


WAYS: Mapping[str, Callable[[Answered, int], tuple[float, float, float]]] = {
    "functions, plain Python": plain,
    "SciPy": by_scipy,
}


def _decide(way: str, documents: int, labels: int) -> None:
    """Decide once, and print what it took."""
    began = time.process_time()
    if way == "SciPy":
        from scipy import stats  # noqa: F401, PLC0415 - what its import takes is measured
    imports = time.process_time() - began
    answered = _answered(documents, labels)
    began = time.process_time()
    p, low, high = WAYS[way](answered, labels)
    seconds = time.process_time() - began
    found = {"p": p, "low": low, "high": high, "imports": imports, "seconds": seconds}
    sys.stdout.write(json.dumps({**found, "peak": peak_mib()}))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("way", choices=tuple(WAYS))
    options.add_argument("documents", type=int)
    options.add_argument("labels", type=int)
    asked = options.parse_args()
    _decide(asked.way, asked.documents, asked.labels)

"""docs/parity.md, made from what the contract tests check: `make parity` writes it.

The table of operations is read from botocore's model, from the contract's own tables and from the
installed moto; only the words about choices and about other emulators are written here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from botocore import xform_name
from moto.comprehend.responses import ComprehendResponse

from tests.contract.public_answers import (
    PUBLIC_ANSWERS,
    PUBLIC_RULES,
    SOURCES_DIFFER,
    PublicAnswer,
)
from tests.contract.refusals import MODEL, SERVED, declared, met_by_input

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parity.md"

SWITCHES = {
    "training_data": "what an iteration trains on: every COMPLETED TRAIN dataset of the flywheel "
    '(`"all"`), or those that no COMPLETED iteration has trained on (`"new"`)',
    "sets_first_active_model": "whether the first COMPLETED iteration makes its model active "
    "(no: `UpdateFlywheel` does)",
    "shows_model_in_training": "whether `TrainedModelArn` is returned during the training (no: "
    "from EVALUATING on)",
    "returned_classes": "how many classes a multi-class response has (3, as in the samples)",
    "pace_seconds": "least time that a transient state lasts; the service takes minutes to hours",
    "quotas": "the documented ones, `min_documents_per_label` among them: the guide says 10 and 50",
}
"""Settings of the engine that stand for what the service's documentation leaves open."""

CHOICES = (
    "An iteration is TRAINING first, then EVALUATING.",
    "A second iteration of a flywheel is refused with ResourceInUseException. One more than the "
    "account may have is refused with TooManyRequestsException: the operation declares nothing "
    "nearer.",
    "One classification job, or entities job, more than may be active at once is refused with "
    "TooManyRequestsException: neither operation declares ResourceLimitExceededException.",
    "A flywheel that names no labels has those of its first COMPLETED TRAIN dataset.",
    "A flywheel is FAILED if its lake's bucket is absent or its role may not write there; the "
    "message names both.",
    "A KMS key with an impossible spelling is refused with KmsKeyValidationException; no key is "
    "looked up.",
    "A filter whose CreationTimeAfter is not before its CreationTimeBefore is refused with "
    "InvalidFilterException, where two members are allowed.",
    "Several jobs may have one name, and `UpdateEndpoint` names nothing new: no input causes their "
    "ResourceInUseException.",
    "No input causes ConcurrentModificationException, since changes of tags wait for one another; "
    "nor UnsupportedLanguageException of `DetectEntities`, since a custom model ignores the "
    "language of a request.",
    "A model that is not TRAINED is refused with ResourceUnavailableException in `CreateFlywheel`, "
    "and with InvalidRequestException in `UpdateFlywheel`, which does not declare the former.",
    "A write to a flywheel that is not ACTIVE is refused with InvalidRequestException. The "
    "deletion of one that is neither ACTIVE nor FAILED is refused with "
    "ResourceUnavailableException.",
    "A `ClientRequestToken` stands for one request of an operation, and for `CreateDataset` and "
    "`StartFlywheelIteration` of one flywheel. With another request it is refused with "
    "InvalidRequestException.",
    "`ListEndpoints` declares no InvalidFilterException: a filter of two members is refused with "
    "InvalidRequestException.",
    "An iteration may start while a dataset is CREATING, and does not use it; without new data it "
    "trains again.",
    "Augmented manifests have each text as `source`. A row with `source-ref` is refused, and the "
    "message names it: the guide shows plain-text rows with `source` alone, and documents "
    "references only for PDFs, which no flywheel accepts.",
    "A TEST dataset may lack labels; a label without a test document is part of no average.",
    "The averages of a recognizer's iteration are of all its mentions together, as parts of 1, "
    "without an accuracy.",
    "A classifier's description names no `output.tar.gz`: that is documented only for "
    "CreateDocumentClassifier. Its confusion matrix is in the data lake, where an iteration stores "
    "what it measured.",
    "`UpdateFlywheel` is allowed while an iteration runs, and takes effect at once.",
    "`DeleteFlywheel` during an iteration, or while a dataset is created, is refused with "
    "ResourceInUseException.",
    "Without a TEST dataset, a tenth of the documents is held out, by a hash of the text.",
    "Stopping a model's training ends its iteration as STOPPED; no other call can.",
    "A model is deleted unless it is active, evaluated by a running iteration, or used by an "
    "endpoint or a running job.",
    "`ClassifyDocument` and `DetectEntities` answer ResourceUnavailableException for an endpoint "
    "that does not exist: they do not declare ResourceNotFoundException. While an endpoint is "
    "UPDATING, the former model answers.",
    "A multi-label answer lists all labels. From a score of 0.5 on a label counts as given, which "
    "no page of the service documents. Those are the labels that an iteration's metrics count.",
    "`InputFormat` is ONE_DOC_PER_LINE by default; blank lines are documents.",
)
"""Choices without a switch, where the documentation leaves a question open."""

_GROUPS = {
    "Flywheels, datasets, iterations": ("Flywheel", "Dataset"),
    "Models": ("Classifier", "EntityRecognizer"),
    "Endpoints and questions to them": ("Endpoint", "ClassifyDocument", "DetectEntities"),
    "Jobs of custom models": ("DocumentClassificationJob", "EntitiesDetectionJob"),
    "Tags": ("TagResource", "UntagResource", "ListTagsForResource"),
}
_REST = "Everything else"


def page() -> str:
    """Return the page."""
    parts = [
        *(_INTRODUCTION, *_tables(), _switches(), _choices()),
        *(_public_answers(), _public_rules(), _OTHERS.format(moto=_moto())),
    ]
    return "\n".join(parts)


def in_moto(operation: str) -> bool:
    """Say whether the installed moto has an operation."""
    return hasattr(ComprehendResponse, xform_name(operation))


def _moto() -> str:
    return version("moto")


def _tables() -> Iterable[str]:
    groups: Mapping[str, list[str]] = defaultdict(list)
    for operation in MODEL.operation_names:
        groups[_group(operation)].append(operation)
    for title in _GROUPS:
        yield f"## {title}\n"
        yield f"| operation | here | errors by input | errors by a fault alone | moto {_moto()} |"
        yield "|---|---|---|---|---|"
        yield from (_row(operation) for operation in groups[title])
        yield ""
    rest = groups[_REST]
    moto = [name for name in rest if in_moto(name)]
    yield f"## {_REST}\n"
    yield (
        f"The other {len(rest)} operations, of built-in models, resource policies and imports, are "
        "refused: the\nanswer is UnknownOperationException and names what is served. moto has "
        f"{len(moto)} of them. They are:\n{', '.join(rest)}.\n"
    )


def _group(operation: str) -> str:
    for title, parts in _GROUPS.items():
        is_built_in = "Pii" in operation or operation.startswith("Batch")
        if not is_built_in and any(part in operation for part in parts):
            return title
    return _REST


def _row(operation: str) -> str:
    has_moto = "yes" if in_moto(operation) else "no"
    if operation not in SERVED:
        return f"| {operation} | refused, by name |  |  | {has_moto} |"
    by_input = met_by_input(operation)
    by_fault = set(declared(operation)) - by_input
    return f"| {operation} | served | {_codes(by_input)} | {_codes(by_fault)} | {has_moto} |"


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(sorted(code.removesuffix("Exception") for code in codes))


def _switches() -> str:
    rows = [f"| `{name}` | {text} |" for name, text in SWITCHES.items()]
    head = (
        "## Where the documentation leaves a question open\n\n"
        "Settings of the engine (`EngineSettings`; `flywheel engine --set NAME=VALUE`):\n\n"
        "| setting | what it decides |\n|---|---|"
    )
    return "\n".join([head, *rows, ""])


def _choices() -> str:
    return "\n".join(["Without a setting:\n", *(f"- {choice}" for choice in CHOICES), ""])


def _public_answers() -> str:
    rows = [
        f"| {public.source} | {public.operation} | {_members(public)} | {_agreement(public)} |"
        for public in PUBLIC_ANSWERS
    ]
    return "\n".join([_PUBLIC, *rows, ""])


def _members(public: PublicAnswer) -> str:
    place = f"of {public.root}: " if public.root else ""
    return place + ", ".join(public.paths.values())


def _agreement(public: PublicAnswer) -> str:
    if not public.lacking:
        return "all"
    reasons: dict[str, list[str]] = {}
    for member, reason in public.lacking.items():
        reasons.setdefault(reason, []).append(member)
    return "; ".join(f"not {', '.join(names)}: {reason}" for reason, names in reasons.items())


def _public_rules() -> str:
    rows = [
        f"| {public.source} | {public.rule} | `{public.test.rpartition('::')[2]}` |"
        for public in PUBLIC_RULES
    ]
    head = "Behavior, each with the test that holds it:\n\n| source | rule | test |\n|---|---|---|"
    differences = "\n".join(f"- {difference}" for difference in SOURCES_DIFFER)
    return "\n".join([head, *rows, "", "Where sources contradict each other:\n", differences, ""])


_PUBLIC = """## Compared with public sources on the service

Each row is an answer in a public source: recorded, or an example. The contract tests find every one
of its members in an answer of the engine, except those that are named with a reason.

| source | operation | members | the engine has |
|---|---|---|---|"""

_INTRODUCTION = """# What the engine serves

For users of the engine who want to know which operations and errors it serves, and where it had to
choose.

`make parity` writes this page from the contract tests. They compare every answer of every served
operation with botocore's model, over HTTP and in process. They do the same with every error that an
operation declares: boto3 raises the model's own class, with the model's HTTP status and a message.
A test fails when this page is older than they are.

Every declared error of a served operation can occur. "By input": a request that a user could send
is refused with it. "By a fault alone": the engine itself has no such trouble, or no such rule, and
answers so only on demand ([its README](../engine/README.md), faults on demand).

| | the engine | moto {moto} | fakecloud, by what is published |
|---|---|---|---|
| datasets | read, checked, counted, written to the lake | no operation | kept, no `DatasetS3Uri` |
| iteration id | the UTC second of its start | a number, against the pattern | 32 hex digits |
| an iteration trains | yes | no | no |
| metrics | counted on a test set | none | none |
| states pass | yes, with their times | no | no |
| quotas, one iteration per flywheel | yes | no | no |
| an endpoint answers | with the trained model | no operation | not known |
""".replace("{moto}", _moto())

_OTHERS = """## Other emulators

The column of moto is read from the installed moto {moto}: it shows that an operation exists, not
what it does. A test runs what the first table says of moto. moto serves most operations of the
built-in models, with fixed answers; the engine refuses these. The column of fakecloud repeats what
its own change says (faiscadev/fakecloud, change 2201); it was not run here.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

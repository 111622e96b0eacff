"""What a verdict's document holds beside the decision, as rows of a name and words.

Decides the words for the terminal and the report page alike, and shows members that it has no words
for by their names: a document may be of another release. Read next:
`flywheel.evaluation.verdict_document`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.record.verdict_again import policy_of
from flywheel.batches.batches import BatchOutcome
from flywheel.number_words import number_of

Facts = Iterator[tuple[str, str]]


def ending(outcome: BatchOutcome | None) -> str:
    """Return what came of a verdict."""
    return f"carried out as {outcome}" if outcome else "not carried out yet"


def made_from(document: Mapping[str, Any], sha256: str) -> Facts:
    """Give what a verdict was made from, who made it, and its place in the chain."""
    yield from input_facts(document["inputs"])
    yield from prediction_facts(document["evidence"].get("paired") or {})
    yield from record_facts(document, sha256)


def input_facts(inputs: Mapping[str, Any]) -> Facts:
    """Give what the batch brought, and the test set."""
    yield "manifest", inputs["manifest_key"]
    yield "  sha256", inputs["manifest_sha256"] or "none"
    for arn in inputs["datasets"]:
        yield "dataset", arn
    if (held := inputs.get("rejudges")) is not None:
        yield "judged again", f"the models of batch {held}"
    test_set = inputs["test_set"]
    if test_set is None:
        yield "test set", "none of its own"
    else:
        yield (
            "test set",
            f"version {test_set['version']}, {number_of(test_set['documents'], 'document')}",
        )
        yield "  sha256", test_set["sha256"]


def prediction_facts(paired: Mapping[str, Any]) -> Facts:
    """Give where the models' answers to the test set are kept, and what they cost."""
    for each in paired.get("predictions", ()):
        yield "answers of", each["model"]
        asked = f"{each['seconds']:g} s, {each['usd']:.4f} USD" if each["usd"] else "kept"
        yield "  job", f"{each['job']} ({asked})"
        yield "  sha256", f"{each['sha256']} of {each['key']}"


def policy_facts(document: Mapping[str, Any]) -> Facts:
    """Give the policy's members, its rules with those that it applies where it has none."""
    try:
        rules = [rule.model_dump(mode="json") for rule in policy_of(document).all_rules()]
    except ValueError:
        # Of a release with other keys, whose defaults this one does not know.
        rules = document["policy"].get("rules", [])
    yield from named_facts({**document["policy"], "rules": rules})


def record_facts(document: Mapping[str, Any], sha256: str) -> Facts:
    """Give who decided, and the hashes that the audit names."""
    yield "decided", f"{document['decided_at']} by {document['actor']}"
    yield "version", document["product_version"]
    yield "flywheel", document["flywheel_arn"]
    yield "iteration", str(document["iteration_id"])
    yield "policy sha256", document["policy_sha256"]
    yield "this document", sha256
    yield "the one before", document["previous_sha256"]


def named_facts(values: Mapping[str, Any]) -> Facts:
    """Give members by their names; what is empty is left out."""
    for name, value in values.items():
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, Mapping):
            yield name, ""
            yield from ((f"  {inner}", words) for inner, words in named_facts(value))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield name, ", ".join(map(_plain, value))
        else:
            yield name, _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        given = ", ".join(f"{name} {inner}" for name, inner in value.items() if inner is not None)
        return f"({given})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

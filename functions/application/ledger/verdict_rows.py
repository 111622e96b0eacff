"""How a verdict is spelled in the ledger: its row, and the audit entry that names its document.

The row holds the verdict and the facts around it as texts, from which the document is made again
byte for byte. Knows no transition. Read next: `application.ledger.batches`.
"""

from typing import Any

from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.writes import Item, Key
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import PromotionMode
from flywheel.evaluation.verdict import Verdict
from flywheel.evaluation.verdict_document import VerdictFacts, document_sha256, verdict_document


def verdict_key(batch: BatchRow) -> Key:
    """Return the key of the row of the verdict about a batch's attempt."""
    return Key(f"VERDICT#{batch.flywheel}#{batch.name.label}", "VERDICT")


def verdict_values(
    batch: BatchRow, verdict: Verdict, facts: VerdictFacts, course: PromotionMode
) -> dict[str, Any]:
    """Return the values of that row."""
    return {
        "flywheel": batch.flywheel,
        "batch": batch.batch,
        "decision": verdict.decision,
        "policy_sha256": verdict.policy_sha256,
        "verdict": verdict.to_json(),
        "facts": facts.to_json(),
        "expected_champion": facts.expected_champion,
        "course": course,
        "decided_at": facts.decided_at,
    }


def verdict_details(batch: BatchRow, stored: StoredVerdict) -> dict[str, Any]:
    """Return what the audit says of a verdict."""
    return {
        "batch": batch.batch,
        "attempt": batch.attempt,
        "decision": stored.verdict.decision,
        "challenger": stored.verdict.evidence.challenger_arn,
        "expected_champion": stored.expected_champion,
        "policy_sha256": stored.verdict.policy_sha256,
        "document": batch.name.verdict_key,
        "document_sha256": document_sha256(stored.document or ""),
    }


def stored_verdict(item: Item) -> StoredVerdict:
    """Return a verdict from its row."""
    outcome, facts = item.get("outcome"), item.get("facts")
    return StoredVerdict(
        Verdict.from_json(item["verdict"]),
        item.get("expected_champion"),
        BatchOutcome(outcome) if outcome else None,
        verdict_document(item["verdict"], facts) if facts else None,
        PromotionMode(item.get("course", PromotionMode.ACT)),
        item.get("kept"),
        item.get("because"),
    )

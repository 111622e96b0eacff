"""PROMOTE, REJECT or HOLD, with every rule's reason.

`decide` is pure: the same inputs give the same verdict, which is stored and never recomputed.
It knows nothing of how the numbers were got or of who acts on the verdict.
Read next: `flywheel.policy` (what one rule says).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from flywheel.policy import Metrics, Outcome, RuleOutcome, assess
from flywheel.policy_settings import METRICS, Policy


class Decision(StrEnum):
    """What a verdict says."""

    PROMOTE = "PROMOTE"
    REJECT = "REJECT"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one iteration showed.

    Parameters
    ----------
    champion_arn : str or None
        The model that was active and evaluated; None where there was none.
    champion : mapping or None
        Its averages in [0, 1]; None without a champion.
    challenger_arn : str or None
        The trained model; None where the iteration names none.
    challenger : mapping
        Its averages.
    has_test_set : bool
        Whether the flywheel holds a TEST dataset; without one the service splits off its own.
    """

    champion_arn: str | None
    champion: Metrics | None
    challenger_arn: str | None
    challenger: Metrics
    has_test_set: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision and its reasons.

    Parameters
    ----------
    decision : Decision
    is_bootstrap : bool
        Whether there was no champion, so that floors alone decided.
    outcomes : tuple of RuleOutcome
    evidence : Evidence
    policy_sha256 : str
        Of the policy's canonical JSON.
    """

    decision: Decision
    is_bootstrap: bool
    outcomes: tuple[RuleOutcome, ...]
    evidence: Evidence
    policy_sha256: str

    @property
    def reasons(self) -> list[str]:
        """The rules that decided, as sentences; for PROMOTE all that passed."""
        decisive = {
            Decision.REJECT: Outcome.FAIL,
            Decision.HOLD: Outcome.UNKNOWN,
            Decision.PROMOTE: Outcome.PASS,
        }[self.decision]
        return [f"{rule.rule}: {rule.reason}" for rule in self.outcomes if rule.outcome is decisive]

    def to_json(self) -> str:
        """Return the verdict as canonical JSON, from which `from_json` makes it again."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, document: str) -> "Verdict":
        """Read a stored verdict."""
        stored: dict[str, Any] = json.loads(document)
        outcomes = tuple(
            RuleOutcome(**{**rule, "outcome": Outcome(rule["outcome"])})
            for rule in stored["outcomes"]
        )
        return cls(
            decision=Decision(stored["decision"]),
            is_bootstrap=stored["is_bootstrap"],
            outcomes=outcomes,
            evidence=Evidence(**stored["evidence"]),
            policy_sha256=stored["policy_sha256"],
        )


def decide(evidence: Evidence, policy: Policy) -> Verdict:
    """Judge a challenger.

    Any FAIL rejects; else anything UNKNOWN holds; else it is promoted. Without a champion only
    floors count. Without a test set nothing but such a first model is promoted.

    Parameters
    ----------
    evidence : Evidence
    policy : Policy

    Returns
    -------
    Verdict
    """
    is_bootstrap = evidence.champion_arn is None
    champion = None if is_bootstrap else (evidence.champion or {})
    outcomes = [
        outcome
        for rule in policy.all_rules()
        for outcome in assess(rule, champion, evidence.challenger)
    ]
    if evidence.challenger_arn is None:
        outcomes.append(_missing("a trained model", "the iteration names no trained model"))
    if not evidence.has_test_set and not is_bootstrap:
        reason = "the flywheel has no test set: upload one under test/ to end this"
        outcomes.append(_missing("a test set", reason))
    seen = {outcome.outcome for outcome in outcomes}
    if Outcome.FAIL in seen:
        decision = Decision.REJECT
    else:
        decision = Decision.HOLD if Outcome.UNKNOWN in seen else Decision.PROMOTE
    return Verdict(decision, is_bootstrap, tuple(outcomes), evidence, policy_sha256(policy))


def policy_sha256(policy: Policy) -> str:
    """Return the hash that names a policy in a verdict: 64 hex digits."""
    canonical = json.dumps(policy.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def averages(metrics: Metrics | None) -> dict[str, float]:
    """Return only the four averages, those that are there, as plain floats.

    Examples
    --------
    >>> averages({"AverageF1Score": 0.5, "Other": 1.0})
    {'AverageF1Score': 0.5}
    """
    return {name: float(metrics[name]) for name in METRICS if metrics and name in metrics}


def _missing(what: str, reason: str) -> RuleOutcome:
    return RuleOutcome(what, Outcome.UNKNOWN, reason, "", None, None, 0.0)

"""PROMOTE, REJECT or HOLD, with every rule's reason.

`decide` is pure: the same inputs give the same verdict, which is stored and never recomputed. It
does not know where the numbers come from or who acts on the verdict. Read next:
`flywheel.evaluation.effective_rules` (what one rule says), `flywheel.evaluation.evidence` (what it
is made of).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Any

from flywheel.evaluation.advice import advice
from flywheel.evaluation.effective_rules import Outcome, RuleOutcome, assess, assess_anchor
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.label_guards import assess_guards, label_guards
from flywheel.evaluation.looks import ERROR
from flywheel.evaluation.resampling import Measured
from flywheel.settings.policy import Policy


class Decision(StrEnum):
    """The decision of a verdict."""

    PROMOTE = "PROMOTE"
    REJECT = "REJECT"
    HOLD = "HOLD"


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
    error : float
        The rate at which this look may mistake chance for a gain.
    """

    decision: Decision
    is_bootstrap: bool
    outcomes: tuple[RuleOutcome, ...]
    evidence: Evidence
    policy_sha256: str
    error: float = ERROR

    @property
    def shows_gain(self) -> bool:
        """Whether it promotes, and evidence shows that every compared average became better.

        Better than the champion, and than the anchor where there is one. Otherwise an allowed loss
        and a gain that makes up for part of it would move the anchor down.
        """
        compared = [
            rule
            for rule in self.outcomes
            if rule.label is None and rule.metric and rule.champion is not None
        ]
        is_shown = bool(compared) and all(map(self._is_gain, compared))
        return self.decision is Decision.PROMOTE and is_shown

    def _is_gain(self, rule: RuleOutcome) -> bool:
        if rule.p_value is not None:
            return rule.p_value <= self.error
        return rule.low is not None and rule.low > 0

    @property
    def reasons(self) -> list[str]:
        """The rules that decided, as sentences; for PROMOTE all that passed."""
        decisive = {
            Decision.REJECT: Outcome.FAIL,
            Decision.HOLD: Outcome.UNKNOWN,
            Decision.PROMOTE: Outcome.PASS,
        }[self.decision]
        return [f"{rule.rule}: {rule.reason}" for rule in self.outcomes if rule.outcome is decisive]

    @property
    def warnings(self) -> list[str]:
        """Findings that decided nothing and should be known all the same, as sentences."""
        return [
            f"{rule.rule}: {rule.reason}"
            for rule in self.outcomes
            if rule.outcome is Outcome.WARNING
        ]

    def to_json(self) -> str:
        """Return the verdict as canonical JSON, from which `from_json` makes it again.

        What was not measured is left out, as it is in verdicts of releases that knew nothing of
        it: these are the same bytes when they are made again.
        """
        values = asdict(self)
        if self.evidence.labels is None:
            del values["evidence"]["labels"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, document: str) -> "Verdict":
        """Read a stored verdict."""
        return cls.from_values(json.loads(document))

    @classmethod
    def from_values(cls, stored: Mapping[str, Any]) -> "Verdict":
        """Read the JSON values of a stored verdict."""
        return cls(
            decision=Decision(stored["decision"]),
            is_bootstrap=stored["is_bootstrap"],
            outcomes=tuple(map(RuleOutcome.from_document, stored["outcomes"])),
            evidence=Evidence.from_document(stored["evidence"]),
            policy_sha256=stored["policy_sha256"],
            error=stored.get("error", ERROR),
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
    error = evidence.error(policy)
    advise = partial(
        advice,
        error=evidence.error(policy, later=1),
        scarce_labels=evidence.scarce_labels,
    )
    outcomes: list[RuleOutcome] = []
    for rule in policy.all_rules():
        compared = evidence.comparison(rule.metric, rule.label, error)
        outcomes += assess(rule, compared, policy, advise, is_bootstrap=is_bootstrap)
        if evidence.anchor_arn is not None and not is_bootstrap:
            nearness = evidence.anchor_comparison(rule.metric, error)
            outcomes += assess_anchor(rule, nearness, policy, advise)
    if not is_bootstrap:
        guarded = [
            (rule, evidence.comparison(rule.metric, rule.label, error))
            for rule in label_guards(policy)
        ]
        outcomes += assess_guards(guarded, policy)
    if evidence.challenger_arn is None:
        outcomes.append(_missing("a trained model", "the iteration names no trained model"))
    if evidence.paired_missing:
        outcomes.append(_missing("both models' answers", evidence.paired_missing))
    if not is_bootstrap:
        outcomes += _test_set_outcomes(evidence, policy)
    seen = {outcome.outcome for outcome in outcomes}
    if Outcome.FAIL in seen:
        decision = Decision.REJECT
    else:
        decision = Decision.HOLD if Outcome.UNKNOWN in seen else Decision.PROMOTE
    return Verdict(decision, is_bootstrap, tuple(outcomes), evidence, policy_sha256(policy), error)


def wants_answers(verdict: Verdict, policy: Policy) -> bool:
    """Return whether both models' predictions for the test set could end a hold.

    They cost money, so the averages must leave rules about metrics unknown, and nothing else.
    """
    unknown = [rule for rule in verdict.outcomes if rule.outcome is Outcome.UNKNOWN]
    return (
        policy.evidence == "paired"
        and verdict.decision is Decision.HOLD
        and verdict.evidence.test_set is not None
        and verdict.evidence.paired is None
        and not verdict.evidence.paired_missing
        and all(rule.metric for rule in unknown)
    )


def can_be_judged_again(verdict: Verdict, policy: Policy) -> bool:
    """Return whether more test rows could end a hold, by both models' answers and without training.

    Looks count on for the larger test set: after the last one nothing but a new set ends a hold.
    """
    test_set = verdict.evidence.test_set
    looks = test_set.looks + 1 if test_set is not None and not verdict.is_bootstrap else 0
    return (
        policy.evidence == "paired"
        and verdict.decision is Decision.HOLD
        and verdict.evidence.challenger_arn is not None
        and looks < policy.test_looks_hold
    )


def measured_by(policy: Policy) -> list[Measured]:
    """Return the metrics that a policy's rules are about, each with its label."""
    rules = (*policy.all_rules(), *label_guards(policy))
    return list(dict.fromkeys((rule.metric, rule.label) for rule in rules))


@cache
def policy_sha256(policy: Policy) -> str:
    """Return the hash that names a policy in a verdict: 64 hex digits."""
    canonical = json.dumps(policy.document(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _test_set_outcomes(evidence: Evidence, policy: Policy) -> list[RuleOutcome]:
    """Return outcomes on whether the test set can carry a comparison, and how worn it is."""
    test_set = evidence.test_set
    if not evidence.has_test_set:
        reason = "the flywheel has no test set: upload one under test/ to end this"
        return [_missing("a test set", reason)]
    outcomes: list[RuleOutcome] = []
    if test_set is None or policy.evidence == "none":
        return outcomes
    if test_set.documents < policy.min_test_documents:
        more = policy.min_test_documents - test_set.documents
        reason = (
            f"the test set has {test_set.documents:,} documents and the policy wants "
            f"{policy.min_test_documents:,}: {more:,} more would end this"
        )
        outcomes.append(_missing("a large enough test set", reason))
    return [*outcomes, *_wear(evidence, policy), *_repetition(test_set)]


def _wear(evidence: Evidence, policy: Policy) -> list[RuleOutcome]:
    """Return an outcome where the test set was looked at too often."""
    look = (evidence.test_set.looks if evidence.test_set else 0) + 1
    seen = f"this is look {look:,} at this test set"
    cure = "freeze a new one: `flywheel testset freeze`"
    if look > policy.test_looks_hold:
        reason = f"{seen}; it has been looked at too often, {cure}"
        return [_missing("a fresh test set", reason)]
    if look >= policy.test_looks_warning:
        reason = f"{seen}, and after {policy.test_looks_hold:,} nothing is promoted; {cure}"
        return [_noted("a fresh test set", Outcome.WARNING, reason)]
    return []


def _repetition(test_set: TestSetFacts) -> list[RuleOutcome]:
    """Warn of a test set that repeats itself."""
    if test_set.grouping != "near duplicates":
        return []
    reason = (
        f"more than 5 % of the {test_set.documents:,} test documents differ from another only in "
        "case, digits or blanks; such documents count as one"
    )
    return [_noted("independent test documents", Outcome.WARNING, reason)]


def _missing(what: str, reason: str) -> RuleOutcome:
    return _noted(what, Outcome.UNKNOWN, reason)


def _noted(what: str, outcome: Outcome, reason: str) -> RuleOutcome:
    return RuleOutcome(what, outcome, reason, "", None, None, 0.0)

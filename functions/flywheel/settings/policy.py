"""A flywheel's policy in its environment's file: rules, evidence, modes, and who approves.

Decides the keys, their defaults (the cautious ones, production's) and which contradict each other.
Read next: `flywheel.settings.environment` (the file around it),
`flywheel.evaluation.effective_rules` (what a rule means for two models),
`console.views.policy` (a policy in plain words).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MetricName = Literal["AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
"""The four averages of DescribeFlywheelIteration, by their names in the service."""

LabelMetricName = Literal["F1Score", "Precision", "Recall"]
LABEL_METRICS: tuple[LabelMetricName, ...] = get_args(LabelMetricName)
"""What is measured of one label or entity type, by its names in DescribeEntityRecognizer."""

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

Bound = Literal["min", "min_improvement", "max_drop"]
BOUNDS: tuple[Bound, ...] = get_args(Bound)

WRONG_WAY = {
    "max": "min",
    "max_improvement": "min_improvement",
    "min_drop": "max_drop",
}
"""Bounds that would want a worse model, each with the one that was meant."""


class Section(BaseModel):
    """A table of an environment's file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(Section):
    """What one metric must do for a challenger to go live.

    Parameters
    ----------
    metric : str
        One of `METRICS`; with a label, one of `LABEL_METRICS`.
    label : str, optional
        The label or entity type that is measured; all of them, averaged, where it is left out.
    min : float in [0, 1], optional
        The least value of the challenger.
    min_improvement : float in [0, 1], optional
        The least absolute gain over the champion; a tie never passes.
    max_drop : float in [0, 1], optional
        The most that may be lost against the champion, absolute.
    """

    model_config = ConfigDict(strict=True)

    metric: Literal[MetricName, LabelMetricName]
    label: Annotated[str, Field(min_length=1)] | None = None
    min: Fraction | None = None
    min_improvement: Fraction | None = None
    max_drop: Fraction | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.bounds():
            raise ValueError("a rule needs `min`, `min_improvement` or `max_drop`")
        if self.min_improvement is not None and self.max_drop is not None:
            raise ValueError(
                "`min_improvement` and `max_drop` of one metric contradict each other: "
                "what must gain may not drop"
            )
        allowed: tuple[str, ...] = METRICS if self.label is None else LABEL_METRICS
        if self.metric not in allowed:
            whose = "of all labels" if self.label is None else f"of the label {self.label!r}"
            raise ValueError(f"metric: {whose} one of {', '.join(allowed)} is measured")
        return self

    def bounds(self) -> list[tuple[Bound, float]]:
        """Return the bounds that are given."""
        return [(kind, value) for kind in BOUNDS if (value := getattr(self, kind)) is not None]


_DEFAULT_FLOOR = Rule(metric="AverageF1Score", min=0.50)
_DEFAULT_IMPROVEMENT = 0.005
_DEFAULT_APPROVE_FIRST = 3
_DEFAULT_MARGIN = 0.01

_LATER_KEYS = frozenset({"allow_proven_loss"})
"""Keys that verdicts of the first releases do not know."""


class Policy(Section):
    """When a challenger becomes the champion.

    Where no rule of an average gives a bound, a default applies, so that no policy promotes a
    useless first model. For `min` it is the default floor. For superiority it is the default
    `min_improvement`; for non-inferiority it is a `max_drop` of `margin`.

    Parameters
    ----------
    mode : {"auto", "approve", "shadow"}
        Whether PROMOTE is carried out, waits for a person, or is only written down.
    approve_first : int
        With ``auto``: how many of the flywheel's first PROMOTE verdicts wait for a person.
    approval_timeout_hours : int
    on_approval_timeout : {"keep", "promote"}
        What happens to a verdict that nobody answered.
    comparison : {"superiority", "non-inferiority"}
        Whether the challenger must be better, or only not worse by more than `margin`.
    margin : float
    allow_proven_loss : bool
        With non-inferiority: whether a challenger that is proven worse, within the margin, may go
        live.
    evidence : {"paired", "averages", "none"}
        What must carry a comparison: both models' predictions for the same documents, where the
        averages are not enough; the averages alone; or the point values alone.
    critical_labels : tuple of str
        Labels whose F1 may not drop by more than `critical_max_drop`.
    critical_min_documents : int
        With fewer test documents of a critical label the guard only warns.
    min_test_documents : int
        With fewer a comparison is not known.
    test_looks_warning, test_looks_hold : int
        Verdicts on one frozen test set before people are warned, and before nothing is promoted.
    family_error : {"per-look", "strict"}
        Whether the looks at each pair of models may err in 5 % of cases, or all looks of a
        flywheel's generation together.
    looks_planned : int
        With ``strict``: so many first looks share half of the error, as many next ones a quarter.
    outside_iterations : {"judge", "ignore"}
        Whether an iteration that was started elsewhere gets a verdict (never a promotion).
    rules : tuple of Rule
    """

    model_config = ConfigDict(strict=True)

    mode: Literal["auto", "approve", "shadow"] = "auto"
    approve_first: int = Field(default=_DEFAULT_APPROVE_FIRST, ge=0, le=1000)
    approval_timeout_hours: int = Field(default=120, ge=1, le=168)
    on_approval_timeout: Literal["keep", "promote"] = "keep"
    comparison: Literal["superiority", "non-inferiority"] = "superiority"
    margin: Fraction = _DEFAULT_MARGIN
    allow_proven_loss: bool = False
    evidence: Literal["paired", "averages", "none"] = "paired"
    critical_labels: Annotated[tuple[str, ...], Field(strict=False)] = ()
    critical_max_drop: Fraction = 0.05
    critical_min_documents: int = Field(default=30, ge=1)
    min_test_documents: int = Field(default=30, ge=1)
    test_looks_warning: int = Field(default=20, ge=1)
    test_looks_hold: int = Field(default=52, ge=1)
    family_error: Literal["per-look", "strict"] = "per-look"
    looks_planned: int = Field(default=12, ge=1)
    outside_iterations: Literal["judge", "ignore"] = "judge"
    rules: Annotated[tuple[Rule, ...], Field(strict=False)] = (_DEFAULT_FLOOR,)

    @field_validator("rules")
    @classmethod
    def _give_each_bound_once(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if not rules:
            raise ValueError("at least one rule is needed; leave `rules` out for the defaults")
        bounds = [
            ".".join(part for part in (rule.label, rule.metric, kind) if part)
            for rule in rules
            for kind, _ in rule.bounds()
        ]
        twice = sorted({bound for bound in bounds if bounds.count(bound) > 1})
        if twice:
            raise ValueError(f"each bound may be given once; given twice: {', '.join(twice)}")
        gains, drops = (
            {(rule.label, rule.metric) for rule in rules if getattr(rule, kind) is not None}
            for kind in ("min_improvement", "max_drop")
        )
        for label, metric in sorted(gains & drops, key=str):
            whose = metric if label is None else f"{metric} of {label!r}"
            raise ValueError(
                f"min_improvement and max_drop of {whose} contradict each other: what must gain "
                "may not drop"
            )
        return rules

    @field_validator("critical_labels")
    @classmethod
    def _names_each_label_once(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"each label may be named once; named twice: {', '.join(twice)}")
        return labels

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> Self:
        problems = [*self._contradictions()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        if self.mode != "auto" and self.approve_first not in {0, _DEFAULT_APPROVE_FIRST}:
            yield f'approve_first goes with mode = "auto", and mode is "{self.mode}"'
        if self.comparison == "superiority" and self.margin != _DEFAULT_MARGIN:
            yield (
                f'margin = {self.margin} goes with comparison = "non-inferiority", and comparison '
                'is "superiority"'
            )
        if self.comparison == "superiority" and self.allow_proven_loss:
            yield (
                'allow_proven_loss goes with comparison = "non-inferiority", and comparison is '
                '"superiority"'
            )
        if self.comparison == "non-inferiority" and self._named("min_improvement"):
            yield (
                'comparison = "non-inferiority" takes a challenger that is no better, and a rule '
                "asks for min_improvement: leave one of them out"
            )
        if self.family_error == "strict" and self.evidence == "none":
            yield 'family_error = "strict" counts errors of evidence, and evidence is "none"'
        guarded = [
            rule.label
            for rule in self.rules
            if rule.label in self.critical_labels and rule.metric == "F1Score" and rule.max_drop
        ]
        if guarded:
            yield f"{guarded[0]!r} is one of critical_labels and has a max_drop of F1Score as well"
        if self.test_looks_warning > self.test_looks_hold:
            yield (
                f"test_looks_warning = {self.test_looks_warning} comes after "
                f"test_looks_hold = {self.test_looks_hold}"
            )
        if self.evidence == "averages":
            yield from self._never_shown()

    def _never_shown(self) -> Iterator[str]:
        """Yield what averages alone could never show."""
        if self.comparison == "non-inferiority":
            yield (
                'comparison = "non-inferiority" needs evidence = "paired": averages say nothing of '
                "the distance to the anchor"
            )
        for rule in self.rules:
            if rule.metric == "AveragePrecision" and len(rule.bounds()) > (rule.min is not None):
                yield (
                    'a comparison of AveragePrecision needs evidence = "paired": averages do not '
                    "say how often each label was predicted"
                )

    def document(self) -> dict[str, Any]:
        """Return the policy as JSON values, every default included.

        A key that earlier releases did not have is left out at its default: their policies keep
        the hash that names them in verdicts.
        """
        values = self.model_dump(mode="json")
        return {
            name: value
            for name, value in values.items()
            if name not in _LATER_KEYS or value != type(self).model_fields[name].default
        }

    def all_rules(self) -> tuple[Rule, ...]:
        """Return the rules, with the defaults where they are silent."""
        rules = self.rules
        if not self._named("min"):
            rules = (_DEFAULT_FLOOR, *rules)
        if self.comparison == "superiority" and not self._named("min_improvement"):
            rules = (*rules, Rule(metric="AverageF1Score", min_improvement=_DEFAULT_IMPROVEMENT))
        if self.comparison == "non-inferiority" and not self._named("max_drop"):
            rules = (*rules, Rule(metric="AverageF1Score", max_drop=self.margin))
        return rules

    def _named(self, bound: Bound) -> bool:
        """Whether a rule of an average gives this bound."""
        return any(getattr(rule, bound) is not None for rule in self.rules if rule.label is None)

    def labels_named(self) -> set[str]:
        """Return the labels that the policy names."""
        return {*self.critical_labels, *(rule.label for rule in self.rules if rule.label)}

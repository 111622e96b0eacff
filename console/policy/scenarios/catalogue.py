"""All scenarios of `flywheel simulate gate --scenario`, by name."""

from console.policy.scenarios.answers import CRITICAL_LABELS, ENTITIES_SPARSE, REPEATED_DOCUMENTS
from console.policy.scenarios.label_averages import MACRO_F1_AVERAGES, PRECISION_RARE
from console.policy.scenarios.looks import (
    ADVISED_NUMBER,
    GROWING_TEST_SET,
    HOLD_AND_EXTEND,
    NON_INFERIORITY_CHAIN,
)
from console.policy.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        ENTITIES_SPARSE,
        PRECISION_RARE,
        CRITICAL_LABELS,
        HOLD_AND_EXTEND,
        GROWING_TEST_SET,
        NON_INFERIORITY_CHAIN,
        REPEATED_DOCUMENTS,
        MACRO_F1_AVERAGES,
        ADVISED_NUMBER,
    )
}

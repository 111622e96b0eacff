"""The deterministic simulation: the real handlers among injected faults, one history per seed.

It runs the product's own code: `register`, `seal`, `start`, `compare`, `close`, `reconcile` and the
acts of people. The ports are in memory (`memory`) and pass the same contract cases as the boto3
adapters (`tests/contract/test_ports.py`). `state_machine` interprets the rendered state machine
from its golden file. A seed draws everything else: what is dropped and when, what people do, and
how often each fault happens; some faults are absent from a history, some frequent (swarm testing).
Every call of a port is a place where the caller may be throttled, lose the reply, be killed, or be
overtaken by any other work that is due. In one history of three both models answer the test set, by
jobs that go wrong in ways of their own (`memory.jobs`).

Faults stop after some hours; then the system must come to rest. `invariants` has what must hold:
`writes` checks every write and every effect, `at_rest` and `answers` check the end. Its module
`safeguards` switches the design's safeguards off, one at a time, and the gate demands that each
removal is noticed: an invariant that nothing can break proves nothing. Run it with
`make simulate HISTORIES=n`, or one seed with ``python -m tests.simulation --seed S``. Read next:
`history`, then `simulator`.
"""

import os
import sys
from pathlib import Path

# As in pyproject.toml for pytest: the Lambda asset's folders are importable as they are in Lambda.
_FUNCTIONS = str(Path(__file__).parents[2] / "functions")
if _FUNCTIONS not in sys.path:
    sys.path.insert(0, _FUNCTIONS)

# Powertools reads these when a handler's module is imported.
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "FlywheelLoop")

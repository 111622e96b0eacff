"""What this release stores and sends, and tests that hold new code to it. See `record`."""

import os

# Powertools reads these when a handler's module is imported.
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "FlywheelLoop")

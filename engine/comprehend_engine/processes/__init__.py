"""Child processes of the engine: start one, exchange JSON lines with it, replace it."""

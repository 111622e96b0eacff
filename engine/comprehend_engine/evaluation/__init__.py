"""Metrics of a model from the counts of its test, per task; the standard library suffices."""

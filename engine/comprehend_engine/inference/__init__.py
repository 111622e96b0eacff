"""Predictions of trained models: the worker in the engine, and the process that it starts."""

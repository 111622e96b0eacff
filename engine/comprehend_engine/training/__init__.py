"""Training and testing of a model: the worker in the engine, and the process that it starts."""

"""Work in the background: how each resource passes through its states after a call."""

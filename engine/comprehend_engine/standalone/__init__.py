"""The engine as a program of its own: from the command's options to a server."""

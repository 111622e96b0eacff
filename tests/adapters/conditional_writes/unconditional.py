"""Writes that expect nothing, and expectations that no neighbour can violate."""

from collections.abc import Callable

from tests.adapters.conditional_writes.story import Story

UNCONDITIONAL: list[Callable[[Story], object]] = []

HELD_BY_CALLERS: dict[str, str] = {}

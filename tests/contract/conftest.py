"""The engine by itself as its own tests use it, and an account as the functions' tests use it."""

from tests.functions.conftest import clock, cloud, engine, world
from tests.local.comprehend.conftest import rig, s3

__all__ = ["clock", "cloud", "engine", "rig", "s3", "world"]

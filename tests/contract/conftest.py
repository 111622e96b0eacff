"""The same S3 server and engine as the engine's own tests use."""

from tests.local.comprehend.conftest import rig, s3

__all__ = ["rig", "s3"]

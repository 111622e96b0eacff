"""The account's flywheels in memory, one a generation, an endpoint that follows one, and all jobs.

Stands for `application.ports.Generations`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.memory.buckets import MemoryStaging
from tests.simulation.memory.jobs import MemoryJobs
from tests.simulation.memory.service import MemoryService
from tests.simulation.memory.service_facts import Shared
from tests.simulation.simulator import Simulator

_CREATING_SECONDS = (30, 600)
_PREFIX = "arn:aws:comprehend:us-east-1:123456789012:flywheel/"


@dataclass(slots=True)
class MemoryAccount:
    """All flywheels.

    Parameters
    ----------
    simulator : Simulator
    staging : MemoryStaging
    flywheels : dict of str to MemoryService
        By ARN, oldest first.
    jobs : MemoryJobs
    """

    simulator: Simulator
    staging: MemoryStaging
    flywheels: dict[str, MemoryService] = field(default_factory=dict)
    shared: Shared = field(default_factory=Shared)
    jobs: MemoryJobs = field(init=False)

    def __post_init__(self) -> None:
        """Have no job yet."""
        self.jobs = MemoryJobs(self.simulator, self.staging, self.shared)

    @property
    def oldest(self) -> MemoryService:
        """The first generation."""
        return next(iter(self.flywheels.values()))

    def add(self, name: str, labels: tuple[str, ...]) -> MemoryService:
        """Have a flywheel, at once."""
        arn = f"{_PREFIX}{name}"
        made = MemoryService(self.simulator, self.staging, arn, labels, self.shared)
        self.flywheels[arn] = made
        return made

    # What RebuildFlywheel calls.

    def definition(self, flywheel_arn: str) -> Mapping[str, Any]:
        """Return what DescribeFlywheel says."""

        def look() -> Mapping[str, Any]:
            flywheel = self.flywheels[flywheel_arn]
            return {
                "FlywheelArn": flywheel.arn,
                "Status": flywheel.status,
                "DataLakeS3Uri": "s3://lake/tickets/schemaVersion=1/1",
            }

        return self.simulator.call("generations.definition", look)

    def create(
        self,
        name: str,
        before: Mapping[str, Any],
        lake_uri: str,
        labels: list[str] | None,
        token: str,
    ) -> str:
        """Create a flywheel like an earlier one and return its ARN; a repeat returns the same."""

        def make() -> str:
            arn = f"{_PREFIX}{name}"
            if arn not in self.flywheels:
                earlier = self.flywheels[before["FlywheelArn"]]
                made = self.add(name, earlier.names)
                made.status = "CREATING"
                self.simulator.later(self.simulator.chance.choice(_CREATING_SECONDS), made.begin)
                self.simulator.note(f"flywheel {name} is CREATING")
            return arn

        return self.simulator.call("generations.create", make, is_repeatable=True)

    def move_endpoint(self, endpoint_arn: str, flywheel_arn: str) -> None:
        """Have an endpoint follow another flywheel."""

        def move() -> None:
            self.shared.followed = flywheel_arn

        self.simulator.call("generations.move_endpoint", move, is_repeatable=True)

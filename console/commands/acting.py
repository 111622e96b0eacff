"""One flywheel that a verb acts on: what it reads, and whom it asks to act.

Knows no act; those are `application.commands.payloads`. Read next:
`console.commands.flywheel_command` (what opens it) and `console.flywheels.operating`.
"""

from dataclasses import dataclass
from typing import Any

from application.commands.payloads import OperatorCommand
from application.configuration import KnownFlywheel
from application.ledger.flywheel_rows import FlywheelRow
from console.environment.target import Target
from console.flywheels.operating import operate


@dataclass(frozen=True, slots=True)
class Act:
    """A flywheel of an environment, for a verb that changes something.

    Parameters
    ----------
    target : Target
    known : KnownFlywheel
    """

    target: Target
    known: KnownFlywheel

    @property
    def name(self) -> str:
        """The flywheel's name."""
        return self.known.settings.name

    @property
    def row(self) -> FlywheelRow:
        """The flywheel as the ledger has it now."""
        return self.target.flywheel_row(self.known)

    def carry_out(self, command: OperatorCommand) -> dict[str, Any]:
        """Have a command carried out and return what came of it.

        Raises
        ------
        CommandError
            It was refused, or the function failed.
        """
        return operate(self.target, command)

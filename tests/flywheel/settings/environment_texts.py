"""Texts of environments' files, written by hand, and a reader that holds them."""

from collections.abc import Callable

from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment

FLYWHEEL = """
[flywheels.tickets]
task = "classification"
mode = "multi-class"
language = "en"
labels = ["A", "B"]
"""
ADOPTED = """
[flywheels.tickets]
adopt = "arn:aws:comprehend:eu-west-1:123456789012:flywheel/old-one"
data_access_role_arn = "arn:aws:iam::123456789012:role/service-role/comprehend"
"""


def reading(**texts: str | bytes) -> Callable[[str], str]:
    """Return a reader of files that a test holds; a file's dot and slash are written as _."""

    def read(file: str) -> str:
        name = file.replace(".", "_").replace("/", "_")
        if name not in texts:
            raise FileNotFoundError(2, "No such file or directory", file)
        text = texts[name]
        return text if isinstance(text, str) else text.decode()

    return read


def parse(text: str, **others: str | bytes) -> Environment:
    """Return the environment of a file named dev.toml."""
    return parse_environment("dev.toml", reading(dev_toml=text, **others))

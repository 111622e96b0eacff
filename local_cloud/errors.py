"""The errors that a local cloud raises, and who can fix each of them.

CloudError
├── AdapterMismatchError   the pinned version of moto was changed: adapt local_cloud to it
├── CloudBusyError         another cloud runs in this process: stop it first
├── TemplateRefusedError   the template uses a type or property that would be left out
└── DeploymentError        a resource of the template could not be created

Decides nothing and imports nothing. Read next: cloud.py.
"""

from collections.abc import Sequence


class CloudError(Exception):
    """The base of the local cloud's errors."""


class AdapterMismatchError(CloudError):
    """An attribute of moto that an adapter replaces does not exist.

    Parameters
    ----------
    attribute : str
        The attribute, written ``module:Class.attribute``.
    installed_version, adapted_version : str
        The installed version of moto, and the one that the adapters are written for.
    """

    def __init__(self, attribute: str, *, installed_version: str, adapted_version: str) -> None:
        self.attribute = attribute
        super().__init__(
            f"moto {installed_version} is installed and the local cloud is adapted to moto "
            f"{adapted_version}; {attribute} is missing. "
            f"Install moto=={adapted_version}, or adapt local_cloud to the new version."
        )


class CloudBusyError(CloudError):
    """A second cloud was started while one runs in this process."""

    def __init__(self) -> None:
        super().__init__(
            "a local cloud already runs in this process, and moto keeps its state for the whole "
            "process; stop the first cloud before starting another"
        )


class TemplateRefusedError(CloudError):
    """The template uses resource types or properties that the local cloud does not serve.

    Parameters
    ----------
    template : str
        File name of the template.
    findings : sequence of str
        One line per type or property; it names the resource.
    """

    def __init__(self, template: str, findings: Sequence[str]) -> None:
        self.template = template
        self.findings = tuple(findings)
        lines = "\n".join(f"  - {finding}" for finding in findings)
        super().__init__(
            f"{template} uses what the local cloud would silently leave out:\n{lines}\n"
            "Serve it in local_cloud, or list it in template_audit.py as knowingly ignored."
        )


class DeploymentError(CloudError):
    """A stack could not be created.

    Parameters
    ----------
    stack : str
        Name of the stack.
    resource : str
        Logical id and type of the resource that failed; empty where the stack itself was refused.
    reason : str
        The message of the service or the adapter.
    """

    def __init__(self, stack: str, *, resource: str, reason: str) -> None:
        self.stack = stack
        self.resource = resource
        self.reason = reason
        where = f" at {resource}" if resource else ""
        super().__init__(f"stack {stack} failed{where}: {reason}")

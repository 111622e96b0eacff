"""Patches of moto that can be undone, and the start-up check that what they touch exists.

Decides how an attribute of moto is replaced, in one way for all adapters: an adapter lists what
it touches in a tuple named ADAPTED, and replaces through `Patches`, which puts everything back at
stop so that other users of moto in the same process are not affected. Must not know what any
adapter does. Read next: cloud.py, which installs the adapters one after the other.
"""

import importlib
from collections.abc import Callable, Iterable, MutableMapping
from importlib.metadata import version
from types import ModuleType
from typing import Any

from local_cloud.errors import AdapterMismatchError

ADAPTED_MOTO_VERSION = "5.2.5"


class Patches:
    """The attributes of moto that were replaced, in order, and how to put them back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, address: str, replacement: object) -> Any:
        """Replace one attribute of moto.

        Parameters
        ----------
        address : str
            ``module:attribute`` or ``module:Class.attribute``.
        replacement : object
            What takes its place.

        Returns
        -------
        object
            What was there, for adapters that call it.
        """
        owner, name = _owner_of(address)
        return self.replace_attribute(owner, name, replacement)

    def replace_attribute(self, owner: Any, name: str, replacement: object) -> Any:
        """Replace an attribute of an object at hand, and return what was there."""
        # A class attribute is kept as it is stored, so that a classmethod stays one when put back.
        stored = vars(owner)[name] if name in vars(owner) else getattr(owner, name)
        original = getattr(owner, name)
        setattr(owner, name, replacement)
        self._undo.append(lambda: setattr(owner, name, stored))
        return original

    def replace_item(self, owner: MutableMapping[str, Any], key: str, value: Any) -> None:
        """Replace one entry of a dictionary that moto reads."""
        stored = owner.get(key)
        owner[key] = value
        if stored is None:
            self._undo.append(lambda: owner.pop(key, None) and None)
        else:
            self._undo.append(lambda: owner.__setitem__(key, stored))

    def undo(self) -> None:
        """Put every replaced attribute back, the last one first."""
        while self._undo:
            self._undo.pop()()


def check_adapted_attributes(adapters: Iterable[ModuleType]) -> None:
    """Check that every attribute listed by the adapters exists.

    Parameters
    ----------
    adapters : iterable of modules
        Modules with a tuple ADAPTED of addresses.

    Raises
    ------
    AdapterMismatchError
        When at least one is missing; names all of them. Whoever changed moto's version can fix it.
    """
    addresses = [address for adapter in adapters for address in adapter.ADAPTED]
    missing = [address for address in addresses if not _exists(address)]
    if missing:
        raise AdapterMismatchError(
            missing, installed_version=version("moto"), adapted_version=ADAPTED_MOTO_VERSION
        )


def adapted_attribute(address: str) -> Any:
    """Return what an address, ``module:Class.attribute``, stands for now."""
    owner, name = _owner_of(address)
    return getattr(owner, name)


def _owner_of(address: str) -> tuple[Any, str]:
    module_name, _, path = address.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, name


def _exists(address: str) -> bool:
    try:
        owner, name = _owner_of(address)
    except (ImportError, AttributeError):
        return False
    return hasattr(owner, name)

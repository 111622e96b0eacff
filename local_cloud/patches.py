"""Replacement of moto's attributes, in one way for all adapters, undone at stop.

An attribute that moto no longer has is refused by name before the cloud starts. For other users of
moto in the same process, moto is unchanged afterwards. Must not know what any adapter does. Read
next: cloud.py, which installs the adapters.
"""

import importlib
from collections.abc import Callable, MutableMapping
from importlib.metadata import version
from typing import Any

from local_cloud.errors import AdapterMismatchError

ADAPTED_MOTO_VERSION = "5.2.5"


class Patches:
    """The replaced attributes of moto, in order, and their originals."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, address: str, replacement: object) -> Any:
        """Replace one attribute of moto.

        Parameters
        ----------
        address : str
            ``module:attribute`` or ``module:Class.attribute``.
        replacement : object

        Returns
        -------
        object
            The original, for adapters that call it.

        Raises
        ------
        AdapterMismatchError
            The attribute does not exist. Whoever changed moto's version can fix it.
        """
        owner, name = _owner_of(address)
        return self.replace_attribute(owner, name, replacement)

    def replace_attribute(self, owner: Any, name: str, replacement: object) -> Any:
        """Replace an attribute of an object, and return the original."""
        # A class stores a classmethod as one; getattr would return it bound.
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
        """Restore every replaced attribute, the last one first."""
        while self._undo:
            self._undo.pop()()


def adapted_attribute(address: str) -> Any:
    """Return the present value of an attribute, ``module:Class.attribute``."""
    owner, name = _owner_of(address)
    return getattr(owner, name)


def _owner_of(address: str) -> tuple[Any, str]:
    module_name, _, path = address.partition(":")
    *parents, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module_name)
        for parent in parents:
            owner = getattr(owner, parent)
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        raise AdapterMismatchError(
            address, installed_version=version("moto"), adapted_version=ADAPTED_MOTO_VERSION
        ) from error
    return owner, name

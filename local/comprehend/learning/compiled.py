"""Turning the inner loops into machine code.

Decides how a loop is compiled: when its module is imported, for the types it names, without the
interpreter's lock, kept on disk for the next process. The first import on a machine therefore
takes some seconds, every later one a fraction of one. Read next:
`local.comprehend.learning.counting`.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(signature: str, *, reorders_sums: bool = False) -> Callable[[Function], Function]:
    """Compile a function for one signature.

    Parameters
    ----------
    signature : str
        Types of what it returns and takes, as numba writes them.
    reorders_sums : bool
        Whether sums may be taken in another order, which lets the processor add many at once.
        The same machine still adds in the same order each time.
    """

    def decorate(function: Function) -> Function:
        decorator = numba.njit(signature, cache=True, nogil=True, fastmath=reorders_sums)
        return cast(Function, decorator(function))

    return decorate


def inlined(function: Function) -> Function:
    """Compile a function that compiled functions call, for whatever types they give it.

    Its sums may be taken in another order.
    """
    return cast(Function, numba.njit(function, fastmath=True))

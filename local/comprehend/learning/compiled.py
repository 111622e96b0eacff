"""Turning the inner loops into machine code, and calling it.

Decides what a compiled function may be: it takes arrays and whole numbers, and writes into arrays
that it is given; it returns nothing, makes no array and raises nothing. Then its machine code needs
neither the compiler nor its libraries beside it, and the process that trains never loads them.
Arguments are checked here: machine code believes what it is told. Calls leave the interpreter's
lock. Read next: `local.comprehend.learning.native_code`, then `local.comprehend.learning.counting`.
"""

import ctypes
import operator
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from local.comprehend.learning.native_code import loaded

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a compiled function takes: an array, or a whole number where it has no dimensions."""

    dtype: np.dtype[Any]
    dimensions: int

    def is_met_by(self, argument: Any) -> bool:
        """Whether an argument is an array of this kind, whole in memory, that may be written to."""
        return (
            isinstance(argument, np.ndarray)
            and argument.dtype == self.dtype
            and argument.ndim == self.dimensions
            and argument.flags.carray
        )


class CompiledFunction:
    """A function that runs as machine code.

    Parameters
    ----------
    function : callable
        What is compiled.
    parameters : tuple of Parameter
        What it takes.
    reorders_sums : bool
        Whether sums may be taken in another order.
    """

    def __init__(
        self,
        function: Callable[..., object],
        parameters: tuple[Parameter, ...],
        reorders_sums: bool,
    ) -> None:
        self.function = function
        self.parameters = parameters
        self.reorders_sums = reorders_sums
        self.symbol = f"{function.__module__}.{function.__qualname__}"
        self._code: Any = None

    def bind(self, address: int) -> None:
        """Call the machine code at an address from now on."""
        types: list[Any] = []
        for parameter in self.parameters:
            types += [ctypes.c_void_p] if parameter.dimensions else []
            types += [ctypes.c_int64] * max(1, parameter.dimensions)
        self._code = ctypes.CFUNCTYPE(None, *types)(address)

    def __call__(self, *arguments: Any) -> None:
        """Run.

        Raises
        ------
        TypeError
            An argument is not of the kind that the function was compiled for.
        """
        if self._code is None:
            make_ready(sys.modules[self.function.__module__])
        told: list[int] = []
        for place, (parameter, argument) in enumerate(
            zip(self.parameters, arguments, strict=True), 1
        ):
            if parameter.dimensions == 0:
                told.append(operator.index(argument))
            elif parameter.is_met_by(argument):
                told.append(argument.ctypes.data)
                told.extend(argument.shape)
            else:
                message = (
                    f"{self.symbol} takes as argument {place} a contiguous, writable, "
                    f"{parameter.dimensions}-dimensional array of {parameter.dtype}."
                )
                raise TypeError(message)
        self._code(*told)


def compiled(signature: str, *, reorders_sums: bool = False) -> Callable[[Function], Function]:
    """Compile a function for one signature.

    What it takes from its module are constants and `inlined` functions of the same module: the
    machine code is made anew when the module changes, not when others do.

    Parameters
    ----------
    signature : str
        Types of what it takes, as numba writes them: ``i8`` a whole number, ``f4[::1]`` an array,
        ``f4[:, ::1]`` one of two dimensions.
    reorders_sums : bool
        Whether sums may be taken in another order, which lets the processor add many at once.
        The same machine still adds in the same order each time.
    """

    def decorate(function: Function) -> Function:
        made = CompiledFunction(function, _parameters(signature), reorders_sums=reorders_sums)
        return cast(Function, made)

    return decorate


def inlined(function: Function) -> Function:
    """Compile a function into those that call it, for whatever types they give it.

    Its sums may be taken in another order.
    """
    INLINED.append(function)
    return function


def make_ready(*modules: ModuleType) -> None:
    """Load the machine code of modules; make it first where it is missing.

    Raises
    ------
    CompilationFailedError
        It could not be made.
    """
    with _LOADING:
        for module in modules:
            code = loaded(module)
            for function in functions_of(module):
                function.bind(code.get_function_address(function.symbol))


def functions_of(module: ModuleType) -> list[CompiledFunction]:
    """Return the compiled functions that a module defines."""
    return [
        each
        for each in vars(module).values()
        if isinstance(each, CompiledFunction) and each.function.__module__ == module.__name__
    ]


def _parameters(signature: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(np.dtype(dtype), brackets.count(",") + 1 if brackets else 0)
        for dtype, brackets in _PARAMETER.findall(signature)
    )


INLINED: list[Callable[..., object]] = []
"""What `inlined` was given."""

_LOADING = threading.Lock()
_PARAMETER = re.compile(r"([uif]\d)(\[:, ::1\]|\[::1\])?")

"""Compiling a module's functions: what runs in a process of its own, once a machine and source.

Decides how a function becomes machine code: numba compiles it behind a wrapper that makes arrays of
pointers and lengths, and what is only there to raise Python errors goes, since nothing raises. Code
that still needed something of numba or Python is refused. Alone in importing numba. Read next:
`local.comprehend.learning.native_code`, which starts it and keeps what it writes.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types

from local.comprehend.learning.compiled import INLINED, CompiledFunction, Parameter, functions_of
from local.comprehend.learning.native_code import target_machine

_FROM_OUTSIDE = {"logf", "sqrtf"}
"""What machine code may call besides the compiler's own: functions of the C library."""


def object_code(module: ModuleType) -> bytes:
    """Compile a module's functions into one object file."""
    for function in [each for each in INLINED if each.__module__ == module.__name__]:
        setattr(module, function.__name__, _njit(function, reorders_sums=True))
    machine = target_machine()
    whole = llvm.parse_assembly("")
    for made in functions_of(module):
        whole.link_in(_llvm_module(made, machine))
    code: bytes = machine.emit_object(whole)
    return code


def _llvm_module(made: CompiledFunction, machine: Any) -> Any:
    """Compile a function into a module that shows its symbol alone, and needs nothing."""
    callback = numba.cfunc(_c_signature(made.parameters), error_model="numpy")(_wrapper(made))
    module = llvm.parse_assembly(callback.inspect_llvm())
    for each in (*module.functions, *module.global_variables):
        if each.name == callback.native_name:
            each.name = made.symbol
        elif not each.is_declaration:
            each.linkage = "internal"
    # With nothing shown, it is seen that no function ever returns an error: what would tell goes.
    passes = llvm.create_new_module_pass_manager()
    passes.add_ipsccp_pass()
    passes.add_simplify_cfg_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    needed = [
        each.name
        for each in (*module.functions, *module.global_variables)
        if each.is_declaration
        and each.name not in _FROM_OUTSIDE
        and not each.name.startswith("llvm.")
    ]
    if needed:
        message = f"{made.symbol} makes arrays or may raise: it needs {', '.join(needed)}."
        raise TypeError(message)
    return module


def _c_signature(parameters: tuple[Parameter, ...]) -> Any:
    kinds: list[Any] = []
    pointer_to: Callable[..., Any] = types.CPointer
    for parameter in parameters:
        if parameter.dimensions:
            kinds.append(pointer_to(numba.from_dtype(parameter.dtype)))
        kinds += [types.int64] * max(1, parameter.dimensions)
    return types.void(*kinds)


def _wrapper(made: CompiledFunction) -> Callable[..., object]:
    """Return a function of pointers and lengths that calls one of arrays."""
    names: list[str] = []
    arguments: list[str] = []
    for place, parameter in enumerate(made.parameters):
        lengths = [f"length_{place}_{axis}" for axis in range(parameter.dimensions)]
        names += [f"given_{place}", *lengths]
        array = f"numba.carray(given_{place}, ({', '.join(lengths)},))"
        arguments.append(array if lengths else f"given_{place}")
    source = f"def call({', '.join(names)}):\n    function({', '.join(arguments)})\n"
    known: dict[str, Any] = {
        "numba": numba,
        "function": _njit(made.function, reorders_sums=made.reorders_sums),
    }
    exec(source, known)
    wrapper: Callable[..., object] = known["call"]
    return wrapper


def _njit(function: Callable[..., object], *, reorders_sums: bool) -> Any:
    return numba.njit(function, fastmath=reorders_sums, error_model="numpy")


if __name__ == "__main__":
    sys.stdout.buffer.write(object_code(import_module(sys.argv[1])))

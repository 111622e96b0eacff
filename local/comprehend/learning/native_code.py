"""Where machine code is kept, and how it gets into the process.

Decides that each module has one file of it, beside the module as Python's own bytecode is or in the
user's cache; that the file serves one processor, compiler and Python, and the source it was made
from; and that a process of its own makes it, since what compiles takes more memory than training.
Knows no function. Read next: `local.comprehend.learning.compiling`, which that process runs.
"""

import functools
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from local.comprehend.errors import CompilationFailedError

_COMPILER = "local.comprehend.learning.compiling"
_MAKERS = [
    Path(__file__).with_name(f"{name}.py") for name in ("compiled", "compiling", "native_code")
]
"""The sources that decide what becomes of a module's."""

_DIGEST_BYTES = 32


def loaded(module: ModuleType) -> Any:
    """Return an engine that knows the addresses of a module's machine code.

    Raises
    ------
    CompilationFailedError
        It was not there, and could not be made.
    """
    nothing = llvm.parse_assembly("")
    engine = llvm.create_mcjit_compiler(nothing, target_machine())
    # Not even nothing is compiled here: that would bring in five MiB of compiler.
    engine.remove_module(nothing)
    engine.add_object_file(llvm.ObjectFileRef.from_data(_object_code(module)))
    engine.finalize_object()
    # Whoever binds to an address keeps no engine; without it the code would be gone.
    _ENGINES.append(engine)
    return engine


def target_machine() -> Any:
    """Return what machine code is made for: the processor that this runs on, and no other."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if _is_x86() else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _is_x86() -> bool:
    return str(llvm.Target.from_default_triple().name).startswith("x86")


def _object_code(module: ModuleType) -> bytes:
    """Return the object file's content; it is made and kept where none is of use."""
    source = Path(str(module.__file__))
    files = list(_files(source))
    digest = hashlib.sha256(b"\0".join(map(Path.read_bytes, [source, *_MAKERS])))
    for file in files:
        if file.exists() and (code := _unsealed(file.read_bytes(), digest.copy())):
            return code
    code = _compiled(module.__name__)
    _keep(code, digest, files)
    return code


def _files(source: Path) -> Iterator[Path]:
    """Give the files where a module's machine code may be, the preferred one first."""
    beside = Path(importlib.util.cache_from_source(str(source)))
    name = f"{beside.stem}.{_machine()}.native"
    yield beside.with_name(name)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = hashlib.sha256(str(source.parent).encode()).hexdigest()[:16]
    yield caches / "comprehend-flywheel-loop" / place / name


@functools.cache
def _machine() -> str:
    """Tell apart what machine code depends on besides its source."""
    found = importlib.util.find_spec("numba")
    origin = Path(found.origin) if found is not None and found.origin is not None else Path()
    # The folder's name has the version; asking importlib.metadata for it takes four MiB.
    compiler = sorted(folder.name for folder in origin.parents[1].glob("numba-*.dist-info"))
    parts = (
        *(sys.version, llvmlite.__version__, *compiler, llvm.get_default_triple()),
        *(llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _compiled(module: str) -> bytes:
    """Have a process compile a module; it finds modules where this one does."""
    made = subprocess.run(
        [sys.executable, "-m", _COMPILER, module],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        message = (
            f"{module} could not be compiled (code {made.returncode}): "
            f"{made.stderr.decode(errors='replace').strip()}"
        )
        raise CompilationFailedError(message)
    return made.stdout


def _unsealed(content: bytes, digest: "hashlib._Hash") -> bytes | None:
    """Return the code in a file's content; None where it is of another source, or not whole."""
    seal, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    digest.update(code)
    return code if seal == digest.digest() else None


def _keep(code: bytes, digest: "hashlib._Hash", files: Iterable[Path]) -> None:
    """Keep code in the first file that can be written; it is there whole or not at all."""
    refused: list[OSError] = []
    digest.update(code)
    for file in files:
        # A draft of one's own: another process may be making the same file.
        draft = file.with_suffix(f".{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(digest.digest() + code)
                draft.replace(file)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            refused.append(error)
        else:
            return
    message = f"Machine code can be kept nowhere: {'; '.join(map(str, refused))}"
    raise CompilationFailedError(message)


_ENGINES: list[Any] = []

"""Loops as machine code: what they take, when they are made, and what is refused."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from local.comprehend.errors import CompilationFailedError
from local.comprehend.learning import native_code

ROOT = Path(__file__).resolve().parents[4]

ADDS = """
from local.comprehend.learning.compiled import compiled, inlined

@inlined
def more(value, by):
    return value + by

@compiled("f4[:, ::1], i8[::1], i8")
def add(table, row, by):
    for place in range(row.shape[0]):
        table[1, place] = more(row[place], by)
"""

MODULE = "a_module_of_loops"
COMPILED: dict[str, bytes] = {}

Importing = Callable[[str], ModuleType]


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell which sources were to be compiled; one that was already is not again, to save time."""
    seen: list[str] = []
    compile_ = native_code._compiled

    def remembered(module: str) -> bytes:
        source = Path(str(sys.modules[module].__file__)).read_text()
        seen.append(source)
        if source not in COMPILED:
            COMPILED[source] = compile_(module)
        return COMPILED[source]

    monkeypatch.setattr(native_code, "_compiled", remembered)
    return seen


@pytest.fixture
def importing(
    tmp_path: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Importing]:
    """Write a module of the given source and import it, as a new process would."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))

    def write_and_import(source: str) -> ModuleType:
        (tmp_path / f"{MODULE}.py").write_text(source)
        sys.modules.pop(MODULE, None)
        importlib.invalidate_caches()
        return importlib.import_module(MODULE)

    yield write_and_import
    sys.modules.pop(MODULE, None)


def added(module: Any, by: int = 1) -> list[float]:
    """Call the module's function; return the row that it wrote."""
    table = np.zeros((2, 3), np.float32)
    module.add(table, np.arange(3), by)
    assert not table[0].any()
    row: list[float] = table[1].tolist()
    return row


def kept(folder: Path) -> list[Path]:
    """Return the files of machine code in a folder."""
    return sorted(folder.rglob("*.native"))


def test_a_function_writes_into_its_arrays_when_it_is_called(importing: Importing) -> None:
    """Arrays of one and two dimensions, a number, and a function that it calls."""
    assert added(importing(ADDS), by=2) == [2, 3, 4]


@pytest.mark.parametrize(
    "arguments",
    [
        (np.zeros((2, 3)), np.arange(3), 1),
        (np.zeros((2, 3), ">f4"), np.arange(3), 1),
        (np.zeros(6, np.float32), np.arange(3), 1),
        (np.zeros((3, 2), np.float32).T, np.arange(3), 1),
        (np.zeros((2, 3), np.float32), np.arange(6)[::2], 1),
        (np.zeros((2, 3), np.float32), [0, 1, 2], 1),
        (np.zeros((2, 3), np.float32), np.frombuffer(bytes(24), np.int64), 1),
        (np.zeros((2, 3), np.float32), np.arange(3), 1.5),
    ],
    ids=["type", "order", "dimensions", "column", "stride", "list", "read-only", "fraction"],
)
def test_a_call_is_refused_when_an_argument_is_of_another_kind(
    importing: Importing, arguments: tuple[Any, ...]
) -> None:
    """Machine code would read what is not there."""
    with pytest.raises(TypeError):
        importing(ADDS).add(*arguments)


def test_a_call_is_refused_when_an_argument_is_missing(importing: Importing) -> None:
    """So would it take what happens to be in a register."""
    with pytest.raises(ValueError, match="shorter"):
        importing(ADDS).add(np.zeros((2, 3), np.float32), np.arange(3))


def test_nothing_is_compiled_when_the_code_of_this_source_is_kept(
    importing: Importing, compilations: list[str], tmp_path: Path
) -> None:
    """A changed source is compiled again, and its file takes the old one's place."""
    added(importing(ADDS))
    assert added(importing(ADDS)) == [1, 2, 3]
    assert compilations == [ADDS]
    changed = ADDS.replace("value + by", "value - by")
    assert added(importing(changed)) == [-1, 0, 1]
    assert compilations == [ADDS, changed]
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("length", [0, 20, 500])
def test_the_code_is_made_again_when_its_file_was_cut_short(
    importing: Importing, compilations: list[str], tmp_path: Path, length: int
) -> None:
    """What is half there is as good as not there."""
    added(importing(ADDS))
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    assert added(importing(ADDS)) == [1, 2, 3]
    assert compilations == [ADDS, ADDS]
    assert len(file.read_bytes()) == len(whole)


def test_the_code_is_in_the_users_cache_when_there_is_no_place_beside_the_module(
    importing: Importing, compilations: list[str], tmp_path: Path
) -> None:
    """A file where the folder should be stands for one that may not be written."""
    (tmp_path / "__pycache__").write_text("")
    added(importing(ADDS))
    assert added(importing(ADDS)) == [1, 2, 3]
    assert compilations == [ADDS]
    assert [file.parents[2].name for file in kept(tmp_path)] == ["caches"]


def test_it_is_said_when_the_code_can_be_kept_nowhere(importing: Importing, tmp_path: Path) -> None:
    """Otherwise every start would take seconds, and nobody knew why."""
    (tmp_path / "__pycache__").write_text("")
    (tmp_path / "caches").write_text("")
    module = importing(ADDS)
    with pytest.raises(CompilationFailedError, match=r"kept nowhere.*__pycache__.*caches"):
        added(module)
    (tmp_path / "caches").unlink()
    assert added(module) == [1, 2, 3]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("numbers[0] = np.zeros(numbers.shape[0])[0]", "makes arrays or may raise"),
        ("raise ValueError", "makes arrays or may raise"),
        ("numbers[0] = missing", "missing"),
    ],
)
def test_it_is_said_why_when_a_function_cannot_be_compiled(
    importing: Importing, line: str, said: str
) -> None:
    """With the function's or the compiler's own words."""
    source = (
        "import numpy as np\n"
        "from local.comprehend.learning.compiled import compiled\n"
        '@compiled("i8[::1]")\n'
        "def wrong(numbers):\n"
        "    if numbers[0] > 0:\n"
        f"        {line}\n"
    )
    module = importing(source)
    with pytest.raises(CompilationFailedError, match=said):
        module.wrong(np.arange(3))


def test_the_compiler_is_not_there_when_a_model_is_trained() -> None:
    """It would take more memory than training does."""
    program = (
        "import sys\n"
        "from local.comprehend.learning.classifier import train_classifier\n"
        "model = train_classifier(['red', 'blue'], [['r'], ['b']], mode='MULTI_CLASS', seed=0)\n"
        "assert model.predict(['red']) == [('r',)]\n"
        "sys.exit('numba' in sys.modules or 'scipy' in sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)

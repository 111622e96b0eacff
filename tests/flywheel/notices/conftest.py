"""Golden texts: what people are sent, compared to the letter.

``REWRITE_GOLDEN=1 pytest tests/flywheel`` writes them anew; read the diff before it is kept.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flywheel.notices.notice import Notice

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def same_as_golden() -> Callable[[Notice, str], None]:
    """Compare a notice with the text file of a name, subject first."""

    def compare(notice: Notice, name: str) -> None:
        file = GOLDEN / f"{name}.txt"
        text = f"Id: {notice.id}\nSubject: {notice.subject}\n\n{notice.body}"
        if os.environ.get("REWRITE_GOLDEN"):
            file.write_text(text, "utf-8")
        assert text == file.read_text("utf-8")

    return compare

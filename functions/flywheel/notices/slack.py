"""A notice as a Slack message: plain text, escaped, and without anything that becomes a link.

Pure. Sent by `adapters.slack`.
"""

import re
from typing import Any

from flywheel.untrusted_text import unlinked, visible

_MAX_BLOCK_CHARACTERS = 2900
"""Below Slack's limit of 3,000 characters a text block."""

_MAX_HEADER_CHARACTERS = 150

_HALF_ENTITY = re.compile(r"&[a-z]*$")


def message(subject: str, body: str) -> dict[str, Any]:
    """Return a Slack message of a notice: a header and the body, both as plain text.

    Notes
    -----
    *Source*: Slack, "Formatting message text" (escaping) and "Blocks" (limits of a block's text).
    """
    return {
        "text": _escaped(subject, _MAX_HEADER_CHARACTERS),
        "blocks": [
            {"type": "header", "text": _plain(subject, _MAX_HEADER_CHARACTERS)},
            {"type": "section", "text": _plain(body, _MAX_BLOCK_CHARACTERS)},
        ],
    }


def _plain(text: str, most_characters: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, most_characters), "emoji": False}


def _escaped(text: str, most_characters: int) -> str:
    harmless = unlinked(visible(text))
    escaped = harmless.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= most_characters:
        return escaped
    return _HALF_ENTITY.sub("", escaped[: most_characters - 3]) + "..."

"""Who acted, as notices and views show it."""

from flywheel.actors import name_and_mark
from flywheel.notices.notice import shown


def shown_actor(actor: str, most_characters: int = 200) -> str:
    """Return who acted as it may be shown: a long name is cut, whether it is verified is not.

    Examples
    --------
    >>> shown_actor("a-very-long-name (claimed)", 10)
    'a-very-... (claimed)'
    """
    name, mark = name_and_mark(actor)
    return shown(name, most_characters) + mark

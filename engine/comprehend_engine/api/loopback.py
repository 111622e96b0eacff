"""Which requests may be answered on the loopback interface: those of programs of this machine.

A browser sends what a web page asks it to, also to 127.0.0.1. Two headers, which no page can
change, tell such a request: ``Origin`` names the page's site, and ``Host`` the name by which the
page was led here. Every server of this machine applies this one rule. Must not know what is served.
"""

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def foreign_header(host: str | None, origin: str | None) -> str:
    """Return which header names another site, and its value; empty where none does.

    Parameters
    ----------
    host, origin : str or None
        The request's headers of these names; None where it has none.

    Examples
    --------
    >>> foreign_header("127.0.0.1:4577", None)
    ''
    >>> foreign_header("127.0.0.1:4577", "https://elsewhere.example")
    "Origin is 'https://elsewhere.example'"
    """
    if host is not None and _host_name(f"//{host}") not in _LOOPBACK:
        return f"Host is {host!r}"
    if origin is not None and _host_name(origin) not in _LOOPBACK:
        return f"Origin is {origin!r}"
    return ""


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # no address at all, such as "//[", is no name of this machine
        return None

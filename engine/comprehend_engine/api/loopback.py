"""The rule for requests on the loopback interface: only programs on this machine get an answer.

A browser sends requests on behalf of web pages, also to 127.0.0.1. Two headers, which no page can
change, identify them: ``Origin`` names the page's site, and ``Host`` the name under which the page
reached this machine. Every local server applies this rule. Must not know what is served.
"""

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def foreign_header(host: str | None, origin: str | None) -> str:
    """Return the header that names another site, with its value; empty where none does.

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
    except ValueError:  # an invalid address, such as "//[", never names this machine
        return None

"""One look at the page on which a program says how it is, over plain HTTP. Knows no program."""

from __future__ import annotations

import ssl

import httpx

# Without one of its own httpx reads this machine's whole list of authorities at every look, 30 ms of work, and needs none.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def page(url: str, timeout_s: float = 2.0) -> httpx.Response:
    """What the page of a program on this machine answers. httpx.HTTPError when it does not."""
    return httpx.get(url, verify=_NO_TLS, timeout=timeout_s, trust_env=False)

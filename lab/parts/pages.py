"""One look at the page on which a program of this machine says how it is, over plain HTTP. Knows no program."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


class PageGone(Exception):
    """Nobody answered, or not in HTTP."""


@dataclass(frozen=True)
class Page:
    """An answer: its HTTP code and its text."""

    status: int
    text: str


def page(url: str, timeout_s: float = 2.0) -> Page:
    """What the page answers. PageGone when it does not."""
    parts = urlsplit(url)
    # The standard library's client: such looks are many, and one of httpx costs ten times as much.
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return Page(answer.status, answer.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        raise PageGone(f"{url}: {error}") from error
    finally:
        connection.close()


def listens(address: str, port: int) -> bool:
    """Whether anybody takes connections there: asked before a look that costs a TLS handshake."""
    with socket.socket() as trial:
        trial.settimeout(1.0)
        return trial.connect_ex((address, port)) == 0

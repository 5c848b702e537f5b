"""How a Proxmox host's downloads fail, in the words of wget, and where the modelled ones come from. Knows no storage."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from lab.world.images import Images
from lab.world.pve.tasks import FetchFailed


def origin(url: SplitResult) -> str:
    """Name and port of who is asked."""
    return f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}"


def unresolved(url: SplitResult) -> FetchFailed:
    """Nobody knows the name."""
    name = url.hostname
    line = f"Resolving {name} ({name})... failed: Temporary failure in name resolution."
    return FetchFailed(f"wget: unable to resolve host address '{name}'", "500 unknown host", line)


def untrusted(url: SplitResult) -> FetchFailed:
    """Somebody answers whose certificate is none that the host knows."""
    return FetchFailed(
        f"ERROR: The certificate of '{url.hostname}' doesn't have a known issuer.", "500 certificate verify failed",
        f"Connecting to {origin(url)}... connected.", f"ERROR: The certificate of '{url.hostname}' is not trusted.",
    )  # fmt: skip


def no_connection(url: SplitResult, why: str) -> FetchFailed:
    """Nobody listens, or nobody answers."""
    return FetchFailed(f"Connecting to {origin(url)}... failed: {why}.", f"500 {why.lower()}")


def fetch_modelled(images: Images, text: str, *, verify: bool = True) -> bytes:
    """What the lab's own origins serve, without a network; raises FetchFailed as a host's wget would fail."""
    url = urlsplit(text)
    if images.down:
        raise unresolved(url)
    wrong = images.origins.get(origin(url), None if images.origins else "")
    if wrong is None:
        raise no_connection(url, "Connection refused") if _is_address(url.hostname or "") else unresolved(url)
    if wrong and verify:
        raise untrusted(url)
    content = images.get(url.path)
    if content is None:
        raise FetchFailed("exit code 8", "404 Not Found")
    return content


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

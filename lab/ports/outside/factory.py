"""The image factory's port, in process: what the lab's factory has, and the checksums that it publishes, or does not."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.errors import TransientError
from lab.world.images import Images


class ModelledFactory:
    """Factory port (ports.ImageFactoryView)."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def image_problem(self, url: str) -> str:
        """See ports.ImageFactoryView."""
        self._answers(url)
        return "404 Not Found" if self._images.get(urlsplit(url).path) is None else ""

    def sha256(self, url: str) -> str:
        """See ports.ImageFactoryView."""
        self._answers(url)
        found = self._images.get(urlsplit(url).path + ".sha256")
        return "" if found is None or not self._images.checksums else found.split()[0].decode()

    def _answers(self, url: str) -> None:
        if self._images.down:
            raise TransientError(f"the image factory does not answer at {url}", hint="is the internet reachable from here?")

"""The image factory's port, in process: the checksum that the lab's factory publishes beside each image."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.errors import PermanentError
from lab.world.images import Images


class ModelledFactory:
    """Factory port (ports.ImageFactoryView)."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def sha256(self, url: str) -> str:
        """See ports.ImageFactoryView."""
        found = self._images.get(urlsplit(url).path + ".sha256")
        if found is None:
            raise PermanentError(f"no image is published at {url}", hint="see the image's url and version in the settings")
        return found.split()[0].decode()

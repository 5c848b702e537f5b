"""The port of registries of container images: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.registries.results import ImageLook


class RegistriesView(Protocol):
    """Questions to the registries that images are pulled from; read-only, and nothing is pulled."""

    def look(self, image: str) -> ImageLook:
        """Whether this image, as a manifest names it, can be had, and how many more pulls its registry allows.

        TransientError for a registry that does not say; PermanentError for what is no name of an image, and for a registry whose
        certificate is not trusted.
        """

"""The port of registries, in process."""

from __future__ import annotations

from adapters.registries.results import Allowance, ImageLook, Standing, reference_of
from engine.errors import TransientError
from lab.world.registries import LabRegistries
from lab.world.world import World


class ModelledRegistries:
    """RegistriesView (adapters.registries.port)."""

    def __init__(self, world: World, registries: LabRegistries) -> None:
        self._world, self._registries = world, registries

    def look(self, image: str) -> ImageLook:
        """See port.RegistriesView."""
        with self._world.looking():
            host, given = reference_of(image).registry, self._registries
            if host in given.silent:
                raise TransientError(f"the registry {host} does not say what it has: it does not answer")
            if host in given.limited:
                return ImageLook(Standing.LIMITED, host, "429: no more may be pulled from here for now", Allowance(0))
            standing = (
                Standing.ABSENT if image in given.missing else Standing.REFUSED if image in given.refused else Standing.THERE
            )
            told = {Standing.ABSENT: "404 Not Found", Standing.REFUSED: "403"}.get(standing, "")
            return ImageLook(standing, host, told, given.allowances.get(host))

"""Whether the Talos image can be had where it is still needed, and who vouches for what is in it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.by_hand import trusting
from cluster.machines.images import has_image, hosts_of, pinned_at, put_there, to_be_made
from engine.errors import BlackstartError, TransientError
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House, TalosImage


@dataclass(frozen=True)
class Image(BaseCheck):
    """A pinned checksum is enough: Proxmox compares it while it downloads. Without a pin the factory must publish one.

    The factory is asked for nothing while no host needs an image from it: it may be down then.
    """

    house: House
    image: TalosImage
    needs = ("preflight.privileges",)  # a Proxmox that cannot be asked is one problem, not one for each who asks

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.image/{self.image.label}" if self.image.label else "preflight.image")

    @property
    def title(self) -> str:
        return f"Talos image {self.image.label} can be had" if self.image.label else "Talos image can be had"

    @property
    def _key(self) -> str:
        return pinned_at(self.house, self.image)

    def probe(self, look: LookContext) -> Probe:
        if not self._wanting(look):
            return satisfied("no host needs it any more: each has the image, or every VM of its own")
        if not self.image.url:
            return self._put_there(look)
        url, pinned = self.image.url, self.image.sha256
        problem = look.factory.image_problem(url)
        if problem:
            return missing(f"no image is published at {url}", problem, hint=f"see {self._key} in the settings")
        if not pinned:
            return self._unpinned(look)
        told = _published(look, url)
        if told and told != pinned:
            return drifted("the factory's image is not the pinned one", f"factory {told}", f"pinned {pinned}")
        agrees = ", the factory agrees" if told else ""
        return satisfied(f"it is there; {self._key}.sha256 in the settings vouches for it{agrees}")

    def _wanting(self, look: LookContext) -> bool:
        """Whether some host has neither the image nor all its VMs. One that cannot be asked may be such a host."""
        for host in hosts_of(self.house, self.image):
            try:
                if to_be_made(look.proxmox, self.house, self.image, host) and not has_image(look.proxmox, self.image, host):
                    return True
            except TransientError:
                return True
        return False

    def _put_there(self, look: LookContext) -> Probe:
        """Nobody fetches it: it is on each host that needs it, or a person has to put it there."""
        absent = [
            host for host in hosts_of(self.house, self.image)
            if to_be_made(look.proxmox, self.house, self.image, host) and not has_image(look.proxmox, self.image, host)
        ]  # fmt: skip
        if absent:
            lines = (f"{self.image.volume} is not on {host}" for host in absent)
            return missing("the image that a person puts there is not there", *lines, hint=put_there(self.image, absent[0]))
        return satisfied(f"{self.image.volume} is there; whoever put it there vouches for it")

    def _unpinned(self, look: LookContext) -> Probe:
        told = look.factory.sha256(self.image.url)
        if told:
            return satisfied(f"it is there; the factory itself vouches for it with {told[:12]}…: {self._key}.sha256 is not set")
        counted = f"{self._fetched()} | sha256sum"
        return missing(
            "the factory publishes no checksum, and none is pinned in the settings",
            f"{self.house.settings_file.name}, under {self._key}: the line `sha256: HEX` is missing",
            hint=f"add it once, with the HEX that this prints where you trust the line: {counted}",
        )

    def by_hand(self) -> str:
        if not self.image.url:
            return f"pvesm list {self.image.storage}   # on each Proxmox host: {self.image.volume} is there"
        return f"{self._fetched('-r 0-0 -o /dev/null ')}   # no error: the image is there"

    def _fetched(self, how: str = "") -> str:
        image = self.image
        return f"curl -fsSL{trusting(image.ca_file)} {how}{shlex.quote(image.url)}"


def _published(look: LookContext, url: str) -> str:
    """The factory's checksum; "" also where it could not be had: beside a pin nothing hangs on it."""
    try:
        return look.factory.sha256(url)
    except BlackstartError:
        return ""


def checks(house: House) -> Iterator[Image]:
    """One for every image that a VM is made of."""
    for image in house.images:
        yield Image(house, image)

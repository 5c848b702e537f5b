"""Whether the Talos image can be had where it is still needed, and who vouches for what is in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.by_hand import trusting
from cluster.machines.images import has_image, put_there, to_be_made
from engine.errors import BlackstartError, TransientError
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class Image(BaseCheck):
    """A pinned checksum is enough: Proxmox compares it while it downloads. Without a pin the factory must publish one.

    The factory is asked for nothing while no host needs an image from it: it may be down then.
    """

    house: House
    id = StepId("preflight.image")
    title = "Talos image can be had"
    needs = ("preflight.privileges",)  # a Proxmox that cannot be asked is one problem, not one for each who asks

    def probe(self, look: LookContext) -> Probe:
        if not self._wanting(look):
            return satisfied("no host needs it any more: each has the image, or every VM of its own")
        if not self.house.image.url:
            return self._put_there(look)
        url, pinned = self.house.image.url, self.house.image.sha256
        problem = look.factory.image_problem(url)
        if problem:
            return missing(f"no image is published at {url}", problem, hint="see image in the settings")
        if not pinned:
            return self._unpinned(look)
        told = _published(look, url)
        if told and told != pinned:
            return drifted("the factory's image is not the pinned one", f"factory {told}", f"pinned {pinned}")
        return satisfied("it is there; image.sha256 in the settings vouches for it" + (", the factory agrees" if told else ""))

    def _wanting(self, look: LookContext) -> bool:
        """Whether some host has neither the image nor all its VMs. One that cannot be asked may be such a host."""
        for host in sorted({node.host for node in self.house.nodes}):
            try:
                if to_be_made(look.proxmox, self.house, host) and not has_image(look.proxmox, self.house, host):
                    return True
            except TransientError:
                return True
        return False

    def _put_there(self, look: LookContext) -> Probe:
        """Nobody fetches it: it is on each host that needs it, or a person has to put it there."""
        hosts = sorted({node.host for node in self.house.nodes})
        absent = [
            host for host in hosts
            if to_be_made(look.proxmox, self.house, host) and not has_image(look.proxmox, self.house, host)
        ]  # fmt: skip
        if absent:
            lines = (f"{self.house.image.volume} is not on {host}" for host in absent)
            return missing("the image that a person puts there is not there", *lines, hint=put_there(self.house, absent[0]))
        return satisfied(f"{self.house.image.volume} is there; whoever put it there vouches for it")

    def _unpinned(self, look: LookContext) -> Probe:
        told = look.factory.sha256(self.house.image.url)
        if told:
            return satisfied(f"it is there; the factory itself vouches for it with {told[:12]}…: image.sha256 is not set")
        counted = f"{self._fetched()} | sha256sum"
        return missing(
            "the factory publishes no checksum, and none is pinned in the settings",
            f"{self.house.settings_file.name}, under image: the line `sha256: HEX` is missing",
            hint=f"add it once, with the HEX that this prints where you trust the line: {counted}",
        )

    def by_hand(self) -> str:
        if not self.house.image.url:
            return f"pvesm list {self.house.image.storage}   # on each Proxmox host: {self.house.image.volume} is there"
        return f"{self._fetched('-r 0-0 -o /dev/null ')}   # no error: the image is there"

    def _fetched(self, how: str = "") -> str:
        image = self.house.image
        return f"curl -fsSL{trusting(image.ca_file)} {how}{shlex.quote(image.url)}"


def _published(look: LookContext, url: str) -> str:
    """The factory's checksum; "" also where it could not be had: beside a pin nothing hangs on it."""
    try:
        return look.factory.sha256(url)
    except BlackstartError:
        return ""


def check(house: House) -> Image:
    """The check of this house."""
    return Image(house)

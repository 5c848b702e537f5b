"""Whether the Talos image's checksum can be had, and is the one the settings name."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class Image(BaseCheck):
    """The factory's checksum equals the pinned one; without a pin the factory's word is used, and said so."""

    house: House
    id = StepId("preflight.image")
    title = "Talos image can be had"

    def probe(self, look: LookContext) -> Probe:
        told = look.factory.sha256(self.house.image.url)
        if not self.house.image.sha256:
            return satisfied(f"the factory says {told[:12]}…; no checksum is pinned in the settings")
        if told != self.house.image.sha256:
            return drifted("the factory's image is not the pinned one", f"factory {told}", f"pinned {self.house.image.sha256}")
        return satisfied("as pinned")

    def by_hand(self) -> str:
        return f"curl -fsSLI {shlex.quote(self.house.image.url)}   # answers 200"


def check(house: House) -> Image:
    """The check of this house."""
    return Image(house)

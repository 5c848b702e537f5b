"""A stage of a new cluster that two kept TLS Secrets are put back into: each is there once, and a third that has ended is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bootstrap.course import course as bootstrap_course
from cluster.course import Course
from house.known.inventory import certificates_path
from house.model import House as HouseModel
from house.values.afterwards import Kit
from tests.builders import a_house
from tests.crash.house.stages import HeldHouse

KEPT = (("network", "example-com-tls"), ("web", "wiki-tls"))


class CertifiedHouse(HeldHouse):
    """Everything else of the cluster stands; cert-manager has not come yet."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        super().__init__(folder, seed)
        now = self.clock.now()
        kept = {"/".join(key): now + 60 * 86400.0 for key in KEPT} | {"web/old-tls": now - 1.0}
        certificates_path(self.lives.house).write_text(json.dumps(kept))

    def given(self) -> HouseModel:
        return replace(a_house(), kit=Kit(certificates=True), settings_file=self.folder / "blackstart.yaml")

    @property
    def course(self) -> Course:
        return bootstrap_course(self.lives.house, {})

    def doubled(self) -> Sequence[str]:
        there = tuple(sorted(self.home.kube.objects().tls))
        return [] if there == KEPT else [f"TLS Secrets: {there}"]

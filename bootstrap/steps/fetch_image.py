"""Put the Talos disk image on the storages that system disks are imported from. Knows no VM."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from bootstrap.needs import BEFORE_ANYTHING, on_host
from cluster.machines.images import has_image, hosts_of, image_step, pinned_at, put_there, to_be_made
from cluster.machines.vms import await_task
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.text.digest import digest
from house.model import House, TalosImage

DOWNLOAD_LIMIT_S = 1800.0


@dataclass(frozen=True)
class FetchImage(BaseStep):
    """One host fetches the image itself, and checks its checksum. None is fetched where every VM is there already."""

    house: House
    host: str
    image: TalosImage
    system = "proxmox"
    standing = True
    ready_s = DOWNLOAD_LIMIT_S

    @property
    def id(self) -> StepId:
        return StepId(f"proxmox.fetch-image/{image_step(self.image, self.host)}")

    @property
    def title(self) -> str:
        return f"Talos image {self.image.label} on {self.host}" if self.image.label else f"Talos image on {self.host}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (BEFORE_ANYTHING, *on_host(self.host), "proxmox.lift-reservation")

    @property
    def inputs(self) -> str:
        image = self.image
        return digest(image.url, image.sha256, image.storage, image.filename)

    def probe(self, look: LookContext) -> Probe:
        image = self.image
        for task in look.proxmox.running_tasks():
            if task.kind == "download" and task.ref.host == self.host:
                return changing(f"{self.host} is downloading an image", task.ref.upid)
        if has_image(look.proxmox, image, self.host):
            return satisfied(f"{image.filename} is on {image.storage}")
        if not to_be_made(look.proxmox, self.house, image, self.host):
            return satisfied(f"{image.filename} is not on {image.storage}, and no VM of this host is to be made from it")
        return missing(f"{image.filename} is not on {image.storage}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        image = self.image
        if not image.url:
            raise PermanentError(f"{image.volume} is not on {self.host}", hint=put_there(image, self.host))
        sha256 = image.sha256 or act.factory.sha256(image.url)
        if not sha256:
            raise PermanentError(
                "nobody vouches for the image: the factory publishes no checksum, and none is pinned",
                hint=f"write its SHA-256 down as {pinned_at(self.house, image)}.sha256 in {self.house.settings_file.name}",
            )
        ref = act.proxmox.download_image(self.host, image.storage, image.filename, image.url, sha256)
        await_task(act.proxmox, act.clock, notes, ref, DOWNLOAD_LIMIT_S)

    def by_hand(self) -> str:
        image = self.image
        if not image.url:
            listed = f"pvesm list {image.storage} | grep {shlex.quote(image.filename)}"
            return f"{listed}   # on {self.host}; where there is no line, {put_there(image, self.host)}"
        pinned = f" --checksum-algorithm sha256 --checksum {image.sha256}" if image.sha256 else ""
        return (
            f"pvesh create /nodes/{self.host}/storage/{image.storage}/download-url --content import"
            f" --filename {image.filename} --url {shlex.quote(image.url)}{pinned}   # on any Proxmox host"
        )


def steps(house: House) -> Iterator[FetchImage]:
    """One for every image on every host of a VM that is made of it."""
    for image in house.images:
        for host in hosts_of(house, image):
            yield FetchImage(house, host, image)

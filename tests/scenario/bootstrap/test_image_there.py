"""An image that a person has put on the storages: to be imported, or an ISO that VMs begin from. Nobody fetches it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import EXIT_HELD, PreflightRefused, SettingsInvalid
from house.model import House, TalosImage
from lab.world.disks import DiskContents, LabVolume
from lab.world.images import make_qcow2
from lab.world.pve.house import DOCUMENTED, IMAGE_BYTES
from tests.builders import a_house
from tests.house.reading import load as read
from tests.house.small_house import SETTINGS, write_repository
from tests.scenario.running import Running

VOLUMES = ["local:import/talos.qcow2", "local:iso/metal-amd64.iso"]


def image_of(volume: str) -> TalosImage:
    return TalosImage("", "", volume.partition(":")[0], volume.partition("/")[2])


def with_volume(volume: str, folder: Path) -> Running:
    made = Running(folder, a_house())
    made.house = replace(made.house, image=image_of(volume))
    made.backed_up()
    made.home.proxmox.images.down = True  # whoever asks a factory finds nobody
    return made


def put(house: Running, volume: str, *hosts: str) -> None:
    content = make_qcow2(IMAGE_BYTES, b"by hand")
    kind = volume.partition(":")[2].partition("/")[0]
    for host in hosts:
        storage = house.home.proxmox.storages.find(host, "local")
        assert storage is not None
        inside = DiskContents(data={"virtual_size": IMAGE_BYTES})
        storage.volumes[volume] = LabVolume(volume, kind, len(content), len(content), "qcow2", 0.0, contents=inside)


@pytest.mark.parametrize("volume", VOLUMES)
def test_a_house_is_built_from_what_is_there_and_no_factory_is_asked(volume: str, tmp_path: Path) -> None:
    house = with_volume(volume, tmp_path)
    put(house, volume, *house.home.proxmox.hosts)
    # A token that may neither fetch from the network nor put files on a storage.
    less = DOCUMENTED - {"Sys.AccessNetwork", "Datastore.AllocateTemplate"} | {"VM.Config.CDROM"}
    token = house.home.proxmox.access.tokens[house.house.proxmox.token_id]
    token.rights = {"/": frozenset(less)}
    report = house.apply(house.bootstrap)
    assert report.exit_code == EXIT_HELD, report.root_causes
    assert not [name for name in house.home.world.faults.reached if "download_image" in name]
    config = house.home.proxmox.vms[8001].config()
    if volume.endswith(".iso"):
        assert (config["ide2"], config["boot"]) == (f"{volume},media=cdrom,size=256K", "order=scsi0;ide2")
    assert not house.plan(house.bootstrap).changes
    assert house.verify(house.bootstrap).exit_code == EXIT_HELD


@pytest.mark.parametrize("volume", VOLUMES)
def test_where_it_is_not_there_the_run_is_refused_with_what_a_person_does(volume: str, tmp_path: Path) -> None:
    house = with_volume(volume, tmp_path)
    put(house, volume, "pve-1", "pve-2")
    report = house.apply(house.bootstrap)
    assert report.exit_code == PreflightRefused.exit_code
    (refused,) = report.root_causes
    assert (refused.id, refused.evidence) == ("preflight.image", (f"{volume} is not on pve-3", f"{volume} is not on pve-4"))
    kind = "ISO Images" if volume.endswith(".iso") else "Import"
    assert refused.error is not None
    assert refused.error.hint == f"put it there in the web page: pve-3 > local > {kind} > Upload, {volume.partition('/')[2]}"
    assert house.home.proxmox.vms == {}


def settings(tmp_path: Path, image: str) -> Path:
    before, _, after = SETTINGS.partition("image:\n")
    rest = after.partition("sops:\n")[2]
    return write_repository(tmp_path, f"{before}image: {image}\nsops:\n{rest}")


@pytest.mark.parametrize("volume", VOLUMES)
def test_the_settings_name_it_by_its_volume_alone(volume: str, tmp_path: Path) -> None:
    house: House = read(settings(tmp_path, f"{{volume: '{volume}'}}"))
    assert house.image == image_of(volume)
    assert (house.image.volume, house.image.iso) == (volume, volume.endswith(".iso"))


@pytest.mark.parametrize(("image", "told"), [
    ("{volume: 'local:iso/a.iso', sha256: '" + "ab" * 32 + "'}", "has volume and sha256"),
    ("{volume: 'local:iso/a.iso', storage: local}", "has volume and storage"),
    ("{volume: 'local:vztmpl/a.tar.gz'}", "is not a volume with an image or an ISO"),
    ("{schematic: 376567988ad3}", "has no storage"),
    ("{storage: local}", "has none of url, schematic and volume"),
])  # fmt: skip
def test_what_goes_with_no_volume_is_told(image: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read(settings(tmp_path, image))
    assert any(told in line for line in caught.value.evidence), caught.value.evidence

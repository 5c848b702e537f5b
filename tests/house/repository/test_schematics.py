"""Nodes that are installed from different schematics are VMs of different images, each known by the id that a factory gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.course import course
from house.repository.talconfigs.schematic import id_of, schematic_of
from tests.house.first.test_init import fill_in
from tests.house.reading import load, read_repository, write_settings
from tests.house.small_house import SETTINGS, write_repository

PLAIN = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
AGENT = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515"


def with_extensions(*names: str) -> dict[str, object]:
    return {"customization": {"systemExtensions": {"officialExtensions": list(names)}}}


@pytest.mark.parametrize(
    ("schematic", "known"),
    [
        ({}, PLAIN),
        ({"customization": {}}, PLAIN),
        (with_extensions("siderolabs/qemu-guest-agent"), AGENT),
        (with_extensions("siderolabs/gasket-driver"), "176603246fc5e700eec6b7044a57dd2bd0521b1d8da6e335c5c24bd66dafba4b"),
        ({"customization": {"meta": [{"key": 12}]}}, ""),
        ({"overlay": {"name": "rpi_generic"}}, ""),
        (with_extensions("yes"), ""),
        (with_extensions("${EXTENSION}"), ""),
        ({"customization": {"extraKernelArgs": "quiet"}}, ""),
    ],
)
def test_an_id_is_the_one_that_talhelper_counts_or_none(schematic: dict[str, object], known: str) -> None:
    """The ids are what `talhelper genurl installer --offline-mode` prints of these."""
    assert id_of(schematic) == known


def test_an_image_s_own_address_comes_before_the_node_s_schematic_and_that_before_its_group_s() -> None:
    cluster = {"worker": {"schematic": with_extensions("siderolabs/qemu-guest-agent")}}
    assert schematic_of(cluster, {}, "", control_plane=False) == AGENT
    assert schematic_of(cluster, {}, "", control_plane=True) == ""
    assert schematic_of(cluster, {"schematic": {"customization": {}}}, "", control_plane=False) == PLAIN
    assert schematic_of(cluster, {}, f"factory.talos.dev/installer/{'b' * 64}:v1.13.9", control_plane=False) == "b" * 64
    assert schematic_of(cluster, {}, "ghcr.io/siderolabs/installer", control_plane=False) == ""


def house_of_two(root: Path, *, digits: str = "ab") -> Path:
    file = write_repository(root)
    talconfig = root / "talos/talconfig.yaml"
    text = talconfig.read_text()
    for name, digit in zip(("cp-1", "w-1"), digits, strict=True):
        image = f"talosImageURL: factory.talos.dev/nocloud-installer/{digit * 64}"
        text = text.replace(f"  - hostname: {name}\n", f"  - hostname: {name}\n    {image}\n")
    talconfig.write_text(text)
    return file


def test_a_first_file_gives_each_node_its_image_and_loads(tmp_path: Path) -> None:
    house_of_two(tmp_path).unlink()
    written = write_settings(tmp_path)
    text = written.file.read_text()
    assert f"\n  schematic: {'a' * 64}\n" in text
    assert f'    image: {{schematic: "{"b" * 64}"}}' in text
    fill_in(written.file)
    made = load(written.file)
    assert [one.label for one in made.images] == ["", "b" * 8]
    assert made.image_of(made.node("w-1")).url.split("/")[4] == "b" * 64


def test_where_all_have_one_no_node_says_it(tmp_path: Path) -> None:
    house_of_two(tmp_path, digits="aa").unlink()
    assert "image: {" not in write_settings(tmp_path).file.read_text()
    assert {one.schematic for one in (read_repository(tmp_path).talconfig or pytest.fail()).nodes} == {"a" * 64}


def with_image(root: Path, image: str) -> Path:
    return write_repository(root, SETTINGS.replace("  w-1:\n", f"  w-1:\n    image: {image}\n"))


def test_a_node_s_own_image_is_fetched_where_it_is_and_pinned_by_itself(tmp_path: Path) -> None:
    made = load(with_image(tmp_path, f"{{schematic: {'b' * 64}, sha256: {'c' * 64}}}"))
    own = made.image_of(made.node("w-1"))
    assert (own.label, own.sha256, own.storage) == ("b" * 8, "c" * 64, made.image.storage)
    found = course(made, {})
    ids = [step.id for step in found.steps if step.id.startswith("proxmox.fetch-image/")]
    assert len(ids) == 2 and ids[1].endswith(f".{'b' * 8}")
    assert [check.id for check in found.checks if check.id.startswith("preflight.image")] == [
        "preflight.image", f"preflight.image/{'b' * 8}",
    ]  # fmt: skip
    (made_of,) = [step for step in found.steps if step.id == "proxmox.create-vm/w-1"]
    assert ids[1] in made_of.needs and own.volume in made_of.by_hand()


@pytest.mark.parametrize("pin", ["", f"  sha256: {'c' * 64}\n"])
def test_the_house_s_own_image_said_again_is_no_other(pin: str, tmp_path: Path) -> None:
    file = with_image(tmp_path, "{schematic: 376567988ad3}")
    file.write_text(file.read_text().replace("image:\n", f"image:\n{pin}", 1))
    made = load(file)
    assert made.images == (made.image,) and bool(made.image.sha256) is bool(pin)


def test_one_schematic_on_two_storages_is_two_images_each_of_its_own_name(tmp_path: Path) -> None:
    file = with_image(tmp_path, f"{{schematic: {'b' * 64}, storage: other}}")
    file.write_text(file.read_text().replace("  cp-1:\n", f"  cp-1:\n    image: {{schematic: {'b' * 64}}}\n"))
    made = load(file)
    assert [(one.label, one.storage) for one in made.images] == [("b" * 8, "local"), (f"{'b' * 8}-other", "other")]
    checks = [check.id for check in course(made, {}).checks]
    assert len(checks) == len(set(checks))


def test_a_vm_of_another_schematic_than_talconfig_installs_is_noted(tmp_path: Path) -> None:
    file = house_of_two(tmp_path)
    told = [note for note in load(file).notes if "nodes.w-1.image: is of schematic 376567988ad3…" in note]
    assert told and told[0].endswith(f"write `image: {{schematic: {'b' * 64}}}`, or its extensions are not there when it starts")
    file.write_text(file.read_text().replace('schematic: "376567988ad3"', f"schematic: {'b' * 64}"))
    assert not [note for note in load(file).notes if "nodes.w-1.image" in note]
    assert [note for note in load(file).notes if "nodes.cp-1.image" in note]

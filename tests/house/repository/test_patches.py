"""Talos patches that talhelper refuses: JSON 6902 lists in files and inline, where a machineconfig has several documents."""

from __future__ import annotations

from pathlib import Path

from tests.house.reading import load
from tests.house.small_house import write_repository

REMOVE = "- op: remove\n  path: /cluster/apiServer/admissionControl\n"


def refused(root: Path, *, talos: str = "v1.13.9", volumes: bool = True, patch: str = REMOVE) -> list[str]:
    settings = write_repository(root)
    (root / "talos/talenv.yaml").write_text(f"talosVersion: {talos}\nkubernetesVersion: v1.33.4\n")
    (root / "talos/patches/kubelet.yaml").write_text(patch)
    talconfig = root / "talos/talconfig.yaml"
    if not volumes:
        talconfig.write_text(talconfig.read_text().replace("    userVolumes:", "    notVolumes:"))
    house = load(settings)
    assert set(house.refused_patches) <= set(house.notes)
    return [line.partition(";")[0] for line in house.refused_patches]


def test_a_json_patch_beside_user_volumes_is_named_where_it_stands(tmp_path: Path) -> None:
    told = "is a JSON 6902 patch, which talhelper refuses for machineconfigs of several documents"
    assert refused(tmp_path, talos="v1.10.6") == [f"talos/patches/kubelet.yaml:1: {told}"]


def test_one_document_takes_it_and_from_talos_1_12_on_there_are_several(tmp_path: Path) -> None:
    assert refused(tmp_path, talos="v1.11.9", volumes=False) == []
    assert len(refused(tmp_path, talos="v1.12.0", volumes=False)) == 1


def test_a_merge_that_speaks_of_op_and_path_is_no_json_patch(tmp_path: Path) -> None:
    assert refused(tmp_path, patch="machine: {files: [{op: create, path: /etc/x}]}\n") == []


def test_an_inline_one_is_found(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    talconfig = tmp_path / "talos/talconfig.yaml"
    before, after = 'patches: ["@./patches/kubelet.yaml"]', 'patches: ["- {op: add, path: /x}"]'
    text = talconfig.read_text().replace(before, after)
    talconfig.write_text(text)
    (line,) = load(settings).refused_patches
    assert line.startswith(f"talos/talconfig.yaml:{len(text.splitlines())}: is a JSON 6902 patch")


def test_a_patch_beside_a_talconfig_elsewhere_is_read(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    (tmp_path / "talos/patches/kubelet.yaml").write_text(REMOVE)
    (tmp_path / "talos").rename(tmp_path / "machines")
    (line,) = load(settings).refused_patches
    assert line.startswith("machines/patches/kubelet.yaml:1: is a JSON 6902 patch")

"""What Git tells the machines: in talconfig, in patches of every form, in the documents that Talos has beside its machineconfig."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.repository.talconfigs.machine import MachineSetting, Tells, machine_settings
from tests.house.reading import load
from tests.house.small_house import write_repository

PATCH = '"@./patches/one.yaml"'


def settings(root: Path, patch: str = "", talconfig: str = "", folder: str = "talos") -> list[tuple[Tells, str, str, str]]:
    (root / folder / "patches").mkdir(parents=True)
    (root / folder / "patches" / "one.yaml").write_text(patch)
    file = root / folder / "talconfig.yaml"
    file.write_text(talconfig or f"clusterName: x\npatches: [{PATCH}]\n")
    return [(one.tells, one.value, one.of, one.declared_in) for one in machine_settings(root, file)]


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        ("machine:\n  network:\n    nameservers:\n      - 10.0.0.1\n      - 10.0.0.2\n",
         [(Tells.NAMESERVER, "10.0.0.1", "", "4"), (Tells.NAMESERVER, "10.0.0.2", "", "5")]),
        ("machine: {time: {servers: [ntp.lan]}}\n", [(Tells.TIME, "ntp.lan", "", "1")]),
        ("machine:\n  registries:\n    mirrors:\n      docker.io: {endpoints: ['http://10.0.0.5:5000']}\n",
         [(Tells.MIRROR, "http://10.0.0.5:5000", "docker.io", "4")]),
        ("machine: {registries: {mirrors: {quay.io: {skipFallback: true, endpoints: ['http://10.0.0.5']}}}}\n",
         [(Tells.ONLY_MIRROR, "http://10.0.0.5", "quay.io", "1")]),
        ("cluster: {apiServer: {extraArgs: {runtime-config: 'a/v1=true,b/v2=false'}}}\n",
         [(Tells.SERVES, "a/v1=true", "", "1"), (Tells.SERVES, "b/v2=false", "", "1")]),
        ("cluster: {apiServer: {extraArgs: {runtime-config: [a/v1=true, b/v2]}}}\n",
         [(Tells.SERVES, "a/v1=true", "", "1"), (Tells.SERVES, "b/v2", "", "1")]),
        ("- {op: add, path: /machine/network/nameservers, value: [10.0.0.1]}\n", [(Tells.NAMESERVER, "10.0.0.1", "", "1")]),
        ("- {op: add, path: /machine/network/nameservers/-, value: 10.0.0.1}\n", [(Tells.NAMESERVER, "10.0.0.1", "", "1")]),
        ("- {op: remove, path: /machine/network/nameservers, value: [10.0.0.1]}\n", []),
        ("- {op: add, path: /machine/registries/mirrors/docker.io, value: {endpoints: ['http://10.0.0.5']}}\n",
         [(Tells.MIRROR, "http://10.0.0.5", "docker.io", "1")]),
        ("- {op: add, path: /cluster/apiServer/extraArgs/runtime-config, value: a/v1=true}\n",
         [(Tells.SERVES, "a/v1=true", "", "1")]),
        ("- {op: add, path: /cluster/apiServer/extraArgs, value: {runtime-config: a/v1=true}}\n",
         [(Tells.SERVES, "a/v1=true", "", "1")]),
        ("apiVersion: v1alpha1\nkind: ResolverConfig\nnameservers: [{address: 10.0.0.1}]\n",
         [(Tells.NAMESERVER, "10.0.0.1", "", "3")]),
        ("---\nmachine: {}\n---\napiVersion: v1alpha1\nkind: TimeSyncConfig\nntp: {servers: [ntp.lan]}\n",
         [(Tells.TIME, "ntp.lan", "", "6")]),
        ("apiVersion: v1alpha1\nkind: RegistryMirrorConfig\nname: docker.io\nendpoints: [{url: 'http://10.0.0.5'}]\n",
         [(Tells.MIRROR, "http://10.0.0.5", "docker.io", "4")]),
        ("# machine: {network: {nameservers: [10.0.0.1]}}\n", []),
        ("machine: [not, a, mapping\n", []),
    ],
)  # fmt: skip
def test_a_patch_says(tmp_path: Path, patch: str, told: list[tuple[Tells, str, str, str]]) -> None:
    found = settings(tmp_path, patch)
    assert [(tells, value, of, place.rpartition(":")[2]) for tells, value, of, place in found] == told
    assert {place.rpartition(":")[0] for *_, place in found} <= {"talos/patches/one.yaml"}


def test_talconfig_itself_says_for_all_a_role_and_a_node(tmp_path: Path) -> None:
    text = """clusterSvcNets: ["10.43.0.0/16"]
controlPlane: {nameservers: [10.0.0.1]}
nodes:
  - hostname: cp-1
    nameservers: [10.0.0.2]
    patches:
      - |-
        machine: {time: {servers: [10.0.0.3]}}
"""
    found = settings(tmp_path, talconfig=text)
    assert [(tells, value) for tells, value, *_ in found] == [
        (Tells.NAMESERVER, "10.0.0.1"), (Tells.NAMESERVER, "10.0.0.2"), (Tells.TIME, "10.0.0.3"), (Tells.SERVICES, "10.43.0.0/16"),
    ]  # fmt: skip
    assert [place for *_, place in found][:2] == ["talos/talconfig.yaml:2", "talos/talconfig.yaml:5"]


def test_a_patch_that_is_not_there_and_no_talconfig_say_nothing(tmp_path: Path) -> None:
    assert machine_settings(tmp_path, tmp_path / "talos" / "talconfig.yaml") == ()
    (tmp_path / "talos").mkdir()
    (tmp_path / "talos" / "talconfig.yaml").write_text(f"patches: [{PATCH}, 7]\n")
    assert machine_settings(tmp_path, tmp_path / "talos" / "talconfig.yaml") == ()
    assert MachineSetting(Tells.TIME, "x", "y:1").of == ""


def test_a_talconfig_elsewhere_is_read_with_the_patches_beside_it(tmp_path: Path) -> None:
    found = settings(tmp_path, "machine: {network: {nameservers: [10.0.0.1]}}\n", folder="kubernetes/bootstrap/talos")
    assert found == [(Tells.NAMESERVER, "10.0.0.1", "", "kubernetes/bootstrap/talos/patches/one.yaml:1")]


def test_a_house_is_read_with_the_talconfig_that_it_has_wherever_that_is(tmp_path: Path) -> None:
    settings_file = write_repository(tmp_path)
    talconfig = tmp_path / "talos" / "talconfig.yaml"
    talconfig.write_text(talconfig.read_text() + 'clusterSvcNets: ["10.43.0.0/16"]\n')
    before = load(settings_file).machine
    (tmp_path / "talos").rename(tmp_path / "machines")
    after = load(settings_file).machine
    assert before and [(one.tells, one.value) for one in after] == [(one.tells, one.value) for one in before]

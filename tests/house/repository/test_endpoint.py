"""Whether what a talconfig calls its endpoint leads to anybody, as far as files tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.repository.talconfigs.talconfig import read_talconfig
from tests.house.small_house import FILES

VIP, ENDPOINT = "        vip: {ip: 127.10.0.10}\n", "endpoint: https://127.10.0.10:6443"
USUAL = '"@./patches/kubelet.yaml"'
LAYER_2 = "apiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: 127.10.0.10\nlink: eth0\n"


def notes(root: Path, *, endpoint: str, vip: str = "", patch: str = "machine: {time: {disabled: false}}\n") -> list[str]:
    """What is said of the endpoint of a talconfig without a virtual address, but for `vip`; `patch` is one of all nodes."""
    text = FILES["talos/talconfig.yaml"]
    assert VIP in text and ENDPOINT in text and USUAL in text
    text = text.replace(VIP, vip).replace(ENDPOINT, f"endpoint: https://{endpoint}:6443")
    (root / "talos").mkdir()
    (root / "talos/talconfig.yaml").write_text(text.replace(USUAL, '"@./vip.yaml"'))
    (root / "talos/vip.yaml").write_text(patch)
    (root / "talos/talenv.yaml").write_text(FILES["talos/talenv.yaml"])
    found, problems = read_talconfig(root)
    assert found is not None and not problems, problems
    return [str(one) for one in found.notes if one.path == "endpoint"]


def test_an_address_of_nobody_is_said_to_be_that(tmp_path: Path) -> None:
    assert notes(tmp_path, endpoint="127.10.0.1") == [
        "talos/talconfig.yaml:5: endpoint: 127.10.0.1 is no node's, and no virtual address that talconfig or a patch gives; "
        "look whether a load balancer or kube-vip leads from it to the control planes, or name an address of theirs"
    ]


def test_an_address_that_only_begins_like_that_of_a_patch_is_nobodys(tmp_path: Path) -> None:
    assert notes(tmp_path, endpoint="127.10.0.1", patch=LAYER_2)


@pytest.mark.parametrize(
    ("endpoint", "vip", "patch"),
    [("127.10.0.11", "", ""), ("house.invalid", "", ""), ("127.10.0.10", VIP, ""), ("127.10.0.10", "", LAYER_2),
     ("127.10.0.10", "", "machine: {network: {interfaces: [{interface: eth0, vip: {ip: 127.10.0.10}}]}}\n")],
    ids=["a control plane's", "a name", "the virtual one", "the virtual one of a patch", "that of an older patch"],
)  # fmt: skip
def test_one_that_leads_somewhere_is_no_word(tmp_path: Path, endpoint: str, vip: str, patch: str) -> None:
    assert notes(tmp_path, endpoint=endpoint, vip=vip, patch=patch or "machine: {time: {disabled: false}}\n") == []

"""What a run pulls: each thing once, by digest where something pins it, and what would serve it when nobody outside answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.lint.needs import Means, Stage
from cluster.lint.pulls import NOTHING, Pull, charts_unknown, pulls_of
from console.screens.pulls import pull_lines, pull_rows, pull_table
from house.model import CrdForm, CrdSource
from house.repository.talconfigs.machine import MachineSetting, Tells
from tests.builders import a_house, a_release
from tests.cluster.lint.made import a_given, release

DIGEST = "sha256:" + "ab" * 32
WORKLOAD = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: notes}
spec:
  template:
    spec:
      containers:
        - {name: a, image: ghcr.io/x/notes:1.0@%s}
        - {name: b, image: redis:7}
        - {name: c, image: registry.lan:5000/tools/x:1}
        - {name: d, image: "ghcr.io/x/${VERSION}"}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: charts}
spec: {url: oci://ghcr.io/x/charts/notes, ref: {digest: %s}}
"""


def mirror(of: str, value: str, tells: Tells = Tells.MIRROR) -> MachineSetting:
    return MachineSetting(tells, value, "talos/patches/mirrors.yaml:3", of)


def by_what(text: str = "", **changes: object) -> dict[str, Pull]:
    found = pulls_of(a_given(text, **changes))
    assert len({(one.stage, one.what) for one in found}) == len(found), "something is told twice"
    return {one.what: one for one in found}


def test_images_of_workloads_are_told_with_their_digests_and_registries() -> None:
    found = by_what(WORKLOAD % (DIGEST, DIGEST))
    notes, redis, own = found["ghcr.io/x/notes:1.0"], found["redis:7"], found["registry.lan:5000/tools/x:1"]
    assert (notes.digest, notes.host, notes.means, notes.served) == (DIGEST, "ghcr.io", Means.INTERNET, NOTHING)
    assert (redis.digest, redis.host) == ("", "docker.io")
    assert (own.host, own.means) == ("registry.lan", Means.NETWORK)
    assert found["oci://ghcr.io/x/charts/notes"].digest == DIGEST
    assert not any("${" in name for name in found)


def test_what_machines_pull_bears_the_versions_that_are_declared() -> None:
    house = a_house()
    found = by_what()
    version = house.cluster.kubernetes_version
    assert found[f"registry.k8s.io/kube-apiserver:{version}"].by == "each node"
    assert found[f"ghcr.io/siderolabs/kubelet:{version}"].stage is Stage.MACHINES
    assert found[house.image.url].by == "each Proxmox host"
    proxy = found[f"registry.k8s.io/kube-proxy:{version} unless the machines go without it"]
    flannel = found["ghcr.io/siderolabs/flannel unless another network is set"]
    assert (proxy.host, flannel.host, flannel.means) == ("registry.k8s.io", "ghcr.io", Means.INTERNET)


def test_a_mirror_outside_serves_its_registry_alone_and_one_inside_nobody() -> None:
    outside = by_what(WORKLOAD % (DIGEST, DIGEST), machine=(mirror("ghcr.io", "https://nas.lan:5000"),))
    assert outside["ghcr.io/x/notes:1.0"].served == "mirror https://nas.lan:5000, if it holds it"
    assert outside["redis:7"].served == NOTHING
    everything = by_what(WORKLOAD % (DIGEST, DIGEST), machine=(mirror("*", "https://nas.lan:5000"),))
    assert everything["redis:7"].served.startswith("mirror https://nas.lan:5000")
    itself = by_what(WORKLOAD % (DIGEST, DIGEST), machine=(mirror("*", "http://127.0.0.1:30020"),))
    assert itself["redis:7"].served == NOTHING


def test_peers_serve_what_a_node_still_has() -> None:
    found = by_what(WORKLOAD % (DIGEST, DIGEST) + release("spegel", "spegel", namespace="kube-system"))
    assert found["redis:7"].served == "HelmRelease kube-system/spegel, of a node that still has it"


def test_charts_and_definitions_are_pulled_by_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "helmfile.yaml"
    file.write_text("repositories: [{name: cilium, url: 'https://helm.cilium.io/'}]\n")
    crds = (
        CrdSource("gateway", CrdForm.URL, "https://github.com/x/install.yaml", sha256="cd" * 32),
        CrdSource("own", CrdForm.FILE, "/house/crds.yaml"),
    )
    releases = (
        a_release("kube-system", "cilium", chart="cilium/cilium", version="1.18.1"), a_release("x", "own", chart="./charts/own"),
    )  # fmt: skip
    found = by_what(helmfile=file, releases=releases, crd_sources=crds)
    assert found["https://helm.cilium.io/cilium 1.18.1"].by == "this machine"
    definitions = found["https://github.com/x/install.yaml"]
    assert definitions.digest == f"sha256:{'cd' * 32}" and definitions.served.startswith("the state folder")
    assert not any("own" in name for name in found)


@pytest.mark.parametrize("url", ["", "https://factory.talos.dev/image/ab/v1.13.9/nocloud-amd64.qcow2"])
def test_an_image_that_a_person_has_put_there_is_pulled_from_nowhere(url: str) -> None:
    image = replace(a_house().image, url=url)
    (pull,) = [one for one in pulls_of(a_given(image=image)) if one.stage is Stage.IMAGE]
    assert (pull.means is Means.HOSTS) is (not url)


def test_the_table_has_a_row_for_each_way_and_the_json_one_for_each_thing() -> None:
    given = a_given(WORKLOAD % (DIGEST, DIGEST) + release("web", "nginx"))
    pulls, unknown = pulls_of(given), charts_unknown(given)
    assert unknown >= 1
    assert len(pull_rows(pulls)) == len(pulls)
    assert {row["digest"] for row in pull_rows(pulls)} >= {DIGEST, None}
    assert len(pull_table(pulls).rows) < len(pulls)
    lines = " ".join(pull_lines(pulls, unknown))
    assert f"{len(pulls)} things are pulled" in lines and "no chart is rendered" in lines and "make bundle" in lines

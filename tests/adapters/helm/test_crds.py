"""What the charts of a CRD helmfile bring: read out of what helm renders, kept, and applied to real API servers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.helm.adapter import HelmReleases
from adapters.helm.crds import crds_in
from adapters.kubernetes.adapter import KubernetesCluster
from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import FieldConflict
from adapters.kubernetes.kinds import CRD
from adapters.kubernetes.results import CrdState
from adapters.process.keeper import Keeper
from engine.errors import PermanentError
from engine.waiting import SystemClock
from house.model import House, SecretRef
from tests.adapters.cluster_house import house_on
from tests.builders import a_release
from tests.contract.apiserver import ApiServers, needed

BIN = Path(__file__).resolve().parents[3] / ".tools" / "bin"
# A post-renderer as the usual one, of a program that is not there; and a chart whose definitions lie in both usual places.
HELMFILE = """
helmDefaults:
  args: [--include-crds, --no-hooks]
  postRenderer: bash
  postRendererArgs: [-c, no-such-yq-here]
releases:
  - name: toys
    namespace: play
    chart: ./charts/toys
    version: 0.1.0
    values: [{crds: {enabled: true}}]
"""


def definition(plural: str, *versions: str) -> str:
    """A definition as charts carry it, with what a controller-gen adds and the API server does not take."""
    listed = "".join(
        f"""
    - name: {version}
      served: true
      storage: {"true" if version == versions[0] else "false"}
      schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}"""
        for version in versions
    )
    return f"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {plural}.crds.example.net
  namespace: play
  creationTimestamp: null
  annotations: {{controller-gen.kubebuilder.io/version: v0.18.0}}
spec:
  group: crds.example.net
  names: {{kind: {plural.title()}, plural: {plural}}}
  scope: Namespaced
  versions:{listed}
status: {{acceptedNames: {{kind: "", plural: ""}}, conditions: [], storedVersions: []}}
"""


def test_only_definitions_are_read_out_of_what_helm_renders() -> None:
    noise = "---\n# Source: x\nkind: ConfigMap\ndata: {text: |\n  kind: CustomResourceDefinition\n  ---\n}\n: no YAML at all"
    text = f"{noise}\n---\n# Source: crds/a.yaml\n---\n{definition('balls', 'v1', 'v2')}--- # the end\n"
    (found,) = crds_in(text, "play/toys")
    assert (found.name, found.chart, found.served) == ("balls.crds.example.net", "play/toys", ("v1", "v2"))
    document = json.loads(found.document)
    assert set(document) == {"metadata", "spec"}
    assert set(document["metadata"]) == {"name", "annotations"}


def test_one_of_an_api_that_is_served_no_more_is_told() -> None:
    with pytest.raises(PermanentError, match=r"brings balls\.crds\.example\.net of apiextensions\.k8s\.io/v1beta1"):
        list(crds_in(definition("balls", "v1").replace(".io/v1", ".io/v1beta1"), "play/toys"))


@dataclass
class Desk:
    """A house whose CRD helmfile has one chart, and both ports."""

    house: House
    clients: Clients
    keeper: Keeper
    cluster: KubernetesCluster

    @property
    def chart(self) -> Path:
        return self.house.root / "bootstrap" / "charts" / "toys"

    @property
    def releases(self) -> HelmReleases:
        """As a new process would see it."""
        return HelmReleases(self.clients, self.house, SystemClock(), self.keeper)

    def state(self, name: str) -> CrdState:
        """Once it is established."""
        deadline = time.monotonic() + 90
        while True:
            (found,) = self.cluster.crds([name])
            if found.established:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)


class NoSecrets:
    """Nobody asks for any."""

    def resolve(self, ref: SecretRef) -> None:
        raise AssertionError(ref)


@pytest.fixture
def desk(real_api: ApiServers, tmp_path: Path) -> Iterator[Desk]:
    needed("helm", "helmfile")
    chart = tmp_path / "bootstrap" / "charts" / "toys"
    for folder in ("crds", "templates"):
        (chart / folder).mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: toys\nversion: 0.1.0\nkubeVersion: '>=1.30.0'\n")
    (chart / "crds" / "balls.yaml").write_text(definition("balls", "v1"))
    (chart / "templates" / "all.yaml").write_text(
        "{{ if dig \"crds\" \"enabled\" false .Values.AsMap }}\n" + definition("dolls", "v1") + "{{ end }}\n---\nkind: Pod\n"
    )
    (tmp_path / "bootstrap" / "crds.yaml").write_text(HELMFILE)
    (tmp_path / "state").mkdir()
    house = house_on(
        real_api, tmp_path / "state", root=tmp_path, helmfile=tmp_path / "none.yaml", releases=(),
        crd_helmfile=tmp_path / "bootstrap" / "crds.yaml",
        crd_charts=(a_release("play", "toys", chart="./charts/toys", version="0.1.0"),),
    )  # fmt: skip
    clients = Clients(house)
    with Keeper(tmp_path / "programs", search=(BIN,)) as keeper:
        cluster = KubernetesCluster(clients, house, SystemClock(), NoSecrets())  # type: ignore[arg-type]  # it resolves nothing
        yield Desk(house, clients, keeper, cluster)
    for name in ("balls", "dolls"):
        clients.main().delete(CRD, f"{name}.crds.example.net")
    clients.close()


@pytest.mark.programs
def test_a_chart_is_rendered_once_and_again_when_it_or_its_values_change(desk: Desk) -> None:
    found = desk.releases.crds_of("play", "toys")
    assert [crd.name for crd in found] == ["balls.crds.example.net", "dolls.crds.example.net"]
    (kept,) = (desk.house.state_dir / "crds").iterdir()
    (desk.chart / "Chart.yaml").rename(desk.chart / "away")
    with pytest.raises(PermanentError, match=r"\./charts/toys 0\.1\.0 cannot be rendered: .*Chart\.yaml"):
        desk.releases.crds_of("play", "toys")
    (desk.chart / "away").rename(desk.chart / "Chart.yaml")
    kept.write_text("[{torn")
    assert desk.releases.crds_of("play", "toys") == found, "what is not whole is made again"

    (desk.house.root / "bootstrap" / "crds.yaml").write_text(HELMFILE.replace("true}}", "false}}"))
    assert [crd.name for crd in desk.releases.crds_of("play", "toys")] == ["balls.crds.example.net"]
    assert len(list((desk.house.state_dir / "crds").iterdir())) == 1, "the older one is gone"
    assert list((desk.house.state_dir / "helm").iterdir()) == [], "values are left"
    (desk.chart / "crds" / "balls.yaml").unlink()
    with pytest.raises(PermanentError, match="brings no custom resource definition") as told:
        desk.releases.crds_of("play", "toys")
    assert "take it out of crds.yaml" in told.value.hint


@pytest.mark.programs
def test_what_was_kept_needs_no_chart_any_more(desk: Desk) -> None:
    found = desk.releases.crds_of("play", "toys")
    house = replace(desk.house, helmfile=desk.house.root / "gone.yaml")
    with Keeper(desk.house.root / "programs-2", search=(BIN,)) as keeper:
        assert HelmReleases(desk.clients, house, SystemClock(), keeper).crds_of("play", "toys") == found


@pytest.mark.programs
def test_a_definition_is_applied_established_and_applied_again_to_the_same(desk: Desk) -> None:
    for _ in range(2):
        for crd in desk.releases.crds_of("play", "toys"):
            desk.cluster.apply_crd(crd)
            state = desk.state(crd.name)
            assert state == CrdState(crd.name, True, ("v1",), (), "play/toys", crd.digest)
    assert desk.cluster.crds(["unheard.crds.example.net"]) == ()


@pytest.mark.programs
def test_one_that_somebody_else_keeps_is_told_and_not_taken_back(desk: Desk) -> None:
    (crd, _) = desk.releases.crds_of("play", "toys")
    desk.cluster.apply_crd(crd)
    desk.state(crd.name)
    (newer,) = crds_in(definition("balls", "v1", "v2"), "play/toys")
    client = desk.clients.main()
    client.demand(
        "PATCH", CRD.path(name=crd.name), "take it over", params={"fieldManager": "helm-controller", "force": "true"},
        body={"apiVersion": CRD.api_version, "kind": CRD.name, **json.loads(newer.document)},
        content_type="application/apply-patch+yaml",
    )  # fmt: skip
    state = desk.state(crd.name)
    assert (state.keepers, state.served, state.digest) == (("helm-controller",), ("v1", "v2"), crd.digest)
    with pytest.raises(FieldConflict, match="another field manager owns"):
        desk.cluster.apply_crd(crd)
    assert desk.state(crd.name).served == ("v1", "v2")

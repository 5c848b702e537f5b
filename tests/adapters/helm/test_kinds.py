"""The kinds that a release renders: read out of what helm prints, and rendered by the real helm with what is served by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.helm.helmfile import Helmfile
from adapters.helm.kinds import RenderedKinds, _read, kinds_in
from adapters.helm.results import ReleaseKinds
from adapters.process.keeper import Keeper
from engine.errors import PermanentError
from engine.waiting import SystemClock
from house.declared.kinds import Kind
from tests.adapters.helm.test_crds import BIN, definition
from tests.builders import a_house, a_release
from tests.contract.apiserver import needed

MONITOR = Kind("monitoring.coreos.com/v1", "ServiceMonitor")
PROBE = Kind(MONITOR.api, "Probe")
BALLS, DOLLS = Kind("crds.example.net/v1", "Balls"), Kind("crds.example.net/v1", "Dolls")
CRD = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
RENDERED = f"""---
# Source: play/charts/sub/crds/balls.yaml
apiVersion: v1
kind: ConfigMap
---
{definition("balls", "v1")}---
# Source: play/templates/crds/dolls.yaml
{definition("dolls", "v1")}---
# Source: play/templates/all.yaml
kind: "Deployment"
metadata: {{name: x}}
apiVersion: 'apps/v1'
spec:
  text: |
    kind: NotMeant
    apiVersion: no/v1
---
# Source: play/templates/list.yaml
apiVersion: v1
kind: List
items:
  - {{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {{name: a}}}}
  - {{apiVersion: v1, kind: Secret, metadata: {{name: b}}}}
---
{{"apiVersion": "batch/v1", "kind": "CronJob"}}
---
# only a comment
---
apiVersion: example.net/v1
kind: Afterwards
metadata:
  annotations:
    "helm.sh/hook": post-install,post-upgrade
---
apiVersion: example.net/v1
kind: Before
metadata:
  annotations:
    helm.sh/hook: pre-install, post-install
---
apiVersion: example.net/v1
kind: Never
metadata:
  annotations:
    helm.sh/hook: pre-delete
"""
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: agent\nversion: 0.1.0\n",
    "values.yaml": "monitor: {enabled: false, trusted: false}\n",
    "crds/balls.yaml": definition("balls", "v1"),
    "templates/all.yaml": """
{{- if and .Values.monitor.enabled (not .Values.monitor.trusted) (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) }}
{{ fail "it needs the definitions of monitoring.coreos.com/v1" }}
{{- end }}
{{- if .Values.monitor.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: agent}
---
{{- end }}
{{- if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/Probe" }}
apiVersion: monitoring.coreos.com/v1
kind: Probe
metadata: {name: agent}
---
{{- end }}
apiVersion: v1
kind: Secret
metadata: {name: agent}
stringData: {word: {{ .Values.word | default "sesame-2714" | quote }} }
""",
}


def test_every_form_of_an_object_is_read_and_sorted_by_when_it_must_be_served() -> None:
    found = kinds_in(RENDERED, "apps/play")
    assert set(found.needs) == {
        CRD, MONITOR, Kind("v1", "ConfigMap"), Kind("apps/v1", "Deployment"), Kind("v1", "Secret"), Kind("batch/v1", "CronJob"),
        Kind("example.net/v1", "Before"),
    }  # fmt: skip
    assert (found.first, found.brings, found.later) == ((BALLS,), (DOLLS,), (Kind("example.net/v1", "Afterwards"),))


def test_what_is_no_yaml_is_told_where_it_would_have_to_be_read() -> None:
    with pytest.raises(PermanentError, match="apps/play renders what is no YAML"):
        kinds_in("---\nkind: List\nitems: [\n", "apps/play")


@dataclass
class Desk:
    """A helmfile with one release, and every program that was started on it."""

    kinds: RenderedKinds
    helmfile: Path
    started: list[str]

    def write(self, monitor: str) -> None:
        """What the release's values say of its monitor."""
        release = "name: agent, namespace: kube-system, chart: ./charts/agent, version: 0.1.0"
        self.helmfile.write_text(f"releases:\n  - {{{release}, values: [{{monitor: {monitor}}}]}}\n")

    def of(self, *served: Kind) -> ReleaseKinds:
        """What the release renders with this."""
        return self.kinds.of("kube-system", "agent", served)

    @property
    def kept(self) -> list[Path]:
        """What was kept of it."""
        return list((self.helmfile.parent / "state" / "crds").iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    needed("helm", "helmfile")
    for name, text in CHART.items():
        file = tmp_path / "charts" / "agent" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    helmfile = tmp_path / "helmfile.yaml"
    house = a_house(
        root=tmp_path, state_dir=tmp_path / "state", helmfile=helmfile,
        releases=(a_release("kube-system", "agent", chart="./charts/agent", version="0.1.0"),),
    )  # fmt: skip
    house.state_dir.mkdir()
    started: list[str] = []
    with Keeper(tmp_path / "programs", search=(BIN,), on_argv=lambda argv: started.append(argv[0])) as keeper:
        yield Desk(RenderedKinds(Helmfile(keeper, house, SystemClock()), house), helmfile, started)


@pytest.mark.programs
def test_a_chart_that_trusts_renders_the_kind_whoever_serves_it(desk: Desk) -> None:
    desk.write("{enabled: true, trusted: true}")
    found = desk.of()
    assert (set(found.needs), found.first) == ({MONITOR, Kind("v1", "Secret"), CRD}, (BALLS,))
    assert len(desk.kept) == 1 and "sesame-2714" not in desk.kept[0].read_text(), "only kinds are kept"
    assert desk.of() == found
    assert desk.started.count("helm") == 1


@pytest.mark.programs
def test_a_chart_that_asks_is_told_what_is_served_by_then(desk: Desk) -> None:
    desk.write("{enabled: true}")
    with pytest.raises(PermanentError, match=r"cannot be rendered: .*it needs the definitions of monitoring\.coreos\.com/v1"):
        desk.of()
    assert MONITOR in desk.of(MONITOR).needs
    assert PROBE not in desk.of(MONITOR).needs
    assert PROBE in desk.of(MONITOR, PROBE).needs


@pytest.mark.programs
def test_asked_with_and_without_what_a_living_cluster_serves_it_is_rendered_once_for_each(desk: Desk) -> None:
    desk.write("{enabled: true, trusted: true}")
    found = [desk.of(), desk.of(PROBE)]
    assert [desk.of(), desk.of(PROBE)] == found
    assert [PROBE in each.needs for each in found] == [False, True]
    assert desk.started.count("helm") == 2


@pytest.mark.programs
def test_only_the_last_few_renderings_of_a_release_are_kept(desk: Desk) -> None:
    desk.write("{enabled: true, trusted: true}")
    for number in range(6):
        desk.of(Kind(f"example.net/v{number}", "Toy"))
    assert len(desk.kept) == 4
    desk.of(Kind("example.net/v5", "Toy"))
    assert desk.started.count("helm") == 6, "the last one is kept"


PODS = """---
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      initContainers: [{name: first, image: "quay.io/a/first:1"}]
      containers:
        - name: main
          image: quay.io/a/main:1@sha256:DIGEST
          env: [{name: IMAGE, value: "image: quay.io/not/meant:1"}]
      volumes: [{name: models, image: {reference: ghcr.io/a/models:2}}, {name: empty, emptyDir: {}}]
---
apiVersion: batch/v1
kind: CronJob
spec:
  jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: busybox}]}}}}
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Pod, spec: {containers: [{name: c, image: "docker.io/b:3"}]}}
---
apiVersion: batch/v1
kind: Job
metadata:
  annotations:
    helm.sh/hook: test
spec: {template: {spec: {containers: [{name: c, image: "never:1"}]}}}
---
apiVersion: apps/v1
kind: Deployment
spec:
  template: {}
  template:
    spec:
      containers:
        - name: twice
          image: "quay.io/a/forgiven:1"
---
apiVersion: v1
kind: ConfigMap
data: {pod: "image: quay.io/not/this:1"}
""".replace("DIGEST", "ab" * 32)


def test_images_are_those_of_the_pods_of_its_workloads_and_hooks() -> None:
    """A document that is no YAML to us (a key twice, which helm forgives) hides none, and makes no release red."""
    found = kinds_in(PODS, "play/pods")
    assert found.images == (
        "quay.io/a/first:1", f"quay.io/a/main:1@sha256:{'ab' * 32}", "ghcr.io/a/models:2", "busybox", "docker.io/b:3",
        "quay.io/a/forgiven:1",
    )  # fmt: skip
    assert Kind("apps/v1", "Deployment") in found.needs


def test_images_are_kept_with_the_kinds(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text('{"needs": [["v1", "Pod"]], "later": [], "first": [], "brings": [], "images": ["a:1"]}')
    assert _read(file) == ReleaseKinds(needs=(Kind("v1", "Pod"),), images=("a:1",))
    file.write_text('{"needs": [], "later": [], "first": [], "brings": []}')
    assert _read(file) is None, "kept by a version that looked for no image"

"""What each stage of a run pulls, pinned by which digest, from where, and what would serve it in the dark. Out of settings and Git.

Renders no chart, resolves no name and looks into no cache: what only those would tell is said to be not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cluster.lint.given import Given
from cluster.lint.needs import Means, Stage, chart_servers, host_of, means_of
from cluster.lint.pods import containers
from cluster.lint.rules.mirror_inside import mirrors, peers
from cluster.machines.images import pinned_at
from house.model import CrdForm, Release
from house.repository.talconfigs.machine import Tells

NOTHING = "nothing that is known here"
_CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_AS_TALOS_NAMES_THEM = (
    "registry.k8s.io/etcd, pause and CoreDNS as Talos names them",
    "registry.k8s.io/kube-proxy:{} unless the machines go without it",
    "ghcr.io/siderolabs/flannel unless another network is set",
)


@dataclass(frozen=True)
class Pull:
    """One thing that is fetched. `by`: who fetches it; `digest` "" where only a name or a tag says what it is; `host` where it is
    asked for; `means` who provides that; `served`: what would serve it without the internet, as far as settings and Git show."""

    stage: Stage
    what: str
    digest: str
    by: str
    host: str
    means: Means
    served: str


def pulls_of(given: Given) -> tuple[Pull, ...]:
    """Every one, each once, in the order of the stages."""
    stages = (_image, _machines, _releases, _flux)
    return tuple(dict.fromkeys(pull for stage in stages for pull in stage(given)))


def charts_unknown(given: Given) -> int:
    """Charts whose own images nobody here knows: they are not rendered, and only what their values name is listed."""
    return sum(not one.app_template for one in given.programs)


def _image(given: Given) -> Iterator[Pull]:
    for image in given.house.images:
        if image.url:
            digest = f"sha256:{image.sha256}" if image.sha256 else ""
            served = f"a host that has it already; or {pinned_at(given.house, image)}.volume, once a person has put it there"
            yield _pull(given, Stage.IMAGE, image.url, digest, "each Proxmox host", served)
        else:
            told = f"{image.volume} of each host"
            yield Pull(Stage.IMAGE, told, "", "each Proxmox host", "", Means.HOSTS, "the host itself: a person has put it there")


def _machines(given: Given) -> Iterator[Pull]:
    version = given.house.cluster.kubernetes_version
    images = [f"ghcr.io/siderolabs/kubelet:{version}", *(f"registry.k8s.io/{name}:{version}" for name in _CONTROL_PLANE)]
    for image in (*images, *(one.format(version) for one in _AS_TALOS_NAMES_THEM)):
        host = host_of(image)
        served = _mirror(given, host) or "a node that has it; an image cache of Talos, where the nodes were made with one"
        yield _pull(given, Stage.MACHINES, image, "", "each node", served)


def _releases(given: Given) -> Iterator[Pull]:
    house = given.house
    for source in house.crd_sources:
        if source.form is CrdForm.URL:
            served = "the state folder, once a preflight has fetched it"
            yield _pull(given, Stage.RELEASES, source.place, f"sha256:{source.sha256}", "this machine", served)
    for file, releases in ((house.crd_helmfile, house.crd_charts), (house.helmfile, house.releases)):
        servers = chart_servers(file) if file is not None else {}
        for release in releases:
            what, host = _chart(release, servers)
            if host:
                yield _pull(given, Stage.RELEASES, what, "", "this machine", NOTHING)


def _chart(release: Release, servers: dict[str, str]) -> tuple[str, str]:
    """A chart with its version, and the host of its server; "" for a chart of the repository's own."""
    alias, _, name = release.chart.partition("/")
    place = release.chart if "://" in release.chart else f"{servers.get(alias, '').rstrip('/')}/{name}" if alias in servers else ""
    return f"{place} {release.version}".strip(), host_of(place)


def _flux(given: Given) -> Iterator[Pull]:
    flux = given.house.flux
    if host_of(flux.url):
        yield _pull(given, Stage.FLUX, f"{flux.url} {flux.branch}", "", "the cluster", NOTHING)
    for one in given.objects("source.toolkit.fluxcd.io", "HelmRepository", "OCIRepository", "GitRepository", "Bucket"):
        url = str(one.spec.get("url") or one.spec.get("endpoint") or "")
        ref = one.spec.get("ref")
        pinned = str(ref.get("digest") or ref.get("commit") or "") if isinstance(ref, dict) else ""
        if host_of(url) and url != flux.url:
            yield _pull(given, Stage.FLUX, url, pinned, "the cluster", NOTHING)
    yield from _images(given)


def _images(given: Given) -> Iterator[Pull]:
    for one in containers(given):
        name, _, digest = one.image.partition("@")
        if name and "${" not in name:
            host = _registry(name)
            yield _pull(given, Stage.FLUX, name, digest, "each node", _mirror(given, host) or _peers(given) or NOTHING, host)


def _registry(image: str) -> str:
    """The registry's host; Docker's own where none is said."""
    head = image.partition("/")[0]
    return head.partition(":")[0] if "/" in image and ("." in head or ":" in head or head == "localhost") else "docker.io"


def _mirror(given: Given, host: str) -> str:
    """The mirror that the machines are told for this registry and that is there when the cluster is not, "" for none."""
    inside = {setting.value for setting, _ in mirrors(given)}
    for setting in given.house.machine:
        told = setting.tells in (Tells.MIRROR, Tells.ONLY_MIRROR) and setting.of in (host, "*")
        if told and setting.value not in inside:
            return f"mirror {setting.value}, if it holds it"
    return ""


def _peers(given: Given) -> str:
    found = peers(given)
    return f"{found[0].told}, of a node that still has it" if found else ""


def _pull(given: Given, stage: Stage, what: str, digest: str, by: str, served: str, host: str = "") -> Pull:
    host = host or host_of(what.partition(" ")[0])
    means, _ = means_of(given, host)
    return Pull(stage, what, digest, by, host, means, served)

"""Whether every container image that the first stages pull can be had, and whether its registry lets that many be pulled today.

Each is asked for, and none is pulled. A release's are those of the pods that its chart renders; what a program pulls on its own
account, and what Talos itself names (etcd, pause, CoreDNS), is in neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.registries.results import Allowance, ImageLook, Standing
from bootstrap.served import release_before
from engine.errors import BlackstartError
from engine.probe import Condition, Identity, Probe, drifted, missing, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId, if_any
from engine.text.lengths import duration
from engine.text.words import number
from house.model import House, Release

_ON_EACH = ("ghcr.io/siderolabs/kubelet:{}",)
_ON_CONTROL_PLANES = (
    "registry.k8s.io/kube-apiserver:{}", "registry.k8s.io/kube-controller-manager:{}", "registry.k8s.io/kube-scheduler:{}",
)  # fmt: skip
_HINT = "is the tag or digest still there? Pin what is, or keep the image where your machines pull from (a mirror outside)"
Looks = Mapping[str, ImageLook | BlackstartError]


def of_machines(house: House) -> tuple[str, ...]:
    """What machines pull before any release, as far as the versions of the repository say it."""
    return tuple(one.format(house.cluster.kubernetes_version) for one in (*_ON_EACH, *_ON_CONTROL_PLANES))


def of_release(look: LookContext, house: House, release: Release) -> tuple[str, ...]:
    """What a release's pods pull, as its chart renders them at its turn. Raises what rendering does."""
    before = release_before(look, house, release)
    return look.releases.kinds_of(release.namespace, release.name, before.kinds).images


def looks_at(look: LookContext, images: Iterable[str]) -> dict[str, ImageLook | BlackstartError]:
    """What is said of each."""
    found: dict[str, ImageLook | BlackstartError] = {}
    for image in dict.fromkeys(images):
        try:
            found[image] = look.registries.look(image)
        except BlackstartError as error:
            found[image] = error
    return found


@dataclass(frozen=True)
class _Images(BaseCheck):
    house: House

    def judged(self, found: Looks) -> Probe:
        """Missing where a registry has not what it is asked for; unknown where one did not say, or gives it not to everybody."""
        gone = [f"{image}: {one.asked} says {one.detail}" for image, one in _those(found, Standing.ABSENT)]
        refused = [f"{image}: {one.asked} says {one.detail}" for image, one in _those(found, Standing.REFUSED, Standing.LIMITED)]
        silent = [f"{image}: {one.what}" for image, one in found.items() if isinstance(one, BlackstartError)]
        if gone:
            told = f"{number(len(gone), 'image')} of {len(found)} cannot be had"
            return missing(told, *gone, *refused, *silent, hint=_HINT)
        if refused or silent:
            told = f"of {number(len(refused) + len(silent), 'image')} of {len(found)} it is not known whether they can be had"
            return Probe(Condition.UNKNOWN, told, (*refused, *silent))
        return satisfied(f"{number(len(found), 'image')}, each there" if found else "it pulls none that its chart shows")

    def by_hand(self) -> str:
        return "skopeo inspect --no-creds docker://IMAGE   # and so each image that the chart renders"


@dataclass(frozen=True)
class OfMachines(_Images):
    """The kubelet's and the control planes' own."""

    id = StepId("rebuild.images/machines")
    title = "images that the machines pull can be had"

    def probe(self, look: LookContext) -> Probe:
        return self.judged(looks_at(look, of_machines(self.house)))


@dataclass(frozen=True)
class OfRelease(_Images):
    """Those of one release of the helmfile."""

    release: Release

    @property
    def id(self) -> StepId:
        return StepId(f"rebuild.images/{self.release.key}")

    @property
    def title(self) -> str:
        return f"images that {self.release.key} pulls can be had"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"preflight.chart/{self.release.key}", if_any("preflight.crds/*"))

    def probe(self, look: LookContext) -> Probe:
        try:
            images = of_release(look, self.house, self.release)
        except BlackstartError as error:  # why it cannot be rendered is told by preflight.kinds
            return unknown(f"which they are is not known while {self.release.key} cannot be rendered", error.what)
        return self.judged(looks_at(look, images))


@dataclass(frozen=True)
class Untold(Identity):
    """Registries that were asked and name no number of pulls."""

    registries: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.registries)


@dataclass(frozen=True)
class Pulls(BaseCheck):
    """How many more pulls each registry allows from here, against how many a rebuild makes: each node pulls for itself."""

    house: House
    id = StepId("rebuild.pulls")
    title = "registries allow as many pulls as a rebuild makes"
    needs = (if_any("preflight.chart/*"),)

    def severity_of(self, seen: Probe) -> Severity:
        # Whoever tells nobody how many pulls there are cannot be asked better: what is not told stops nothing, and is no yes.
        untold = isinstance(seen.identity, Untold)
        return Severity.ADVISORY if untold or seen.condition is Condition.DRIFTED else Severity.BLOCKING

    def probe(self, look: LookContext) -> Probe:
        images, unseen = self._wanted(look)
        found = looks_at(look, images)
        wanted: dict[str, int] = {}
        allowed: dict[str, Allowance] = {}
        for image, one in found.items():
            if isinstance(one, ImageLook):
                wanted[one.asked] = wanted.get(one.asked, 0) + 1
                if one.allowance is not None:
                    allowed[one.asked] = min(one.allowance, allowed.get(one.asked, one.allowance), key=lambda each: each.left)
            else:
                unseen.append(f"{image}: {one.what}")
        nodes = len(self.house.nodes)
        lines = [_line(host, allowed[host], wanted[host], nodes) for host in sorted(allowed)]
        short = [host for host, one in allowed.items() if one.left < wanted[host]]
        tight = [host for host, one in allowed.items() if one.left < wanted[host] * nodes]
        if short:
            hint = "wait until it counts anew, let the machines log in, or have them pull from a mirror outside of the cluster"
            return missing(f"{', '.join(sorted(short))} allows less than a rebuild pulls", *lines, *unseen, hint=hint)
        if unseen:
            return unknown(f"of {number(len(unseen), 'image or release', 'images or releases')} it is not known", *lines, *unseen)
        if tight:
            told = f"{', '.join(sorted(tight))} may allow less than a rebuild pulls: each of {nodes} nodes pulls for itself"
            return drifted(told, *lines, hint="a node that may not pull waits: a mirror outside of the cluster would serve it")
        if not_told := tuple(sorted(wanted.keys() - allowed.keys())):
            untold = Untold(not_told)
            told = "; ".join([*lines, f"how many pulls are allowed is not told by {untold}"])
            return Probe(Condition.UNKNOWN, told, identity=untold)
        return satisfied("; ".join(lines))

    def _wanted(self, look: LookContext) -> tuple[list[str], list[str]]:
        """The images, and which releases could not be rendered."""
        images, unseen = list(of_machines(self.house)), list[str]()
        for release in self.house.releases:
            try:
                images += of_release(look, self.house, release)
            except BlackstartError as error:
                unseen.append(f"{release.key}: {error.what}")
        return images, unseen

    def by_hand(self) -> str:
        return (
            "curl -sI -H \"Authorization: Bearer $TOKEN\" https://registry-1.docker.io/v2/library/busybox/manifests/latest"
            " | grep -i ratelimit   # TOKEN from https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/busybox:pull"
        )


def checks(house: House) -> Iterator[OfMachines | OfRelease | Pulls]:
    """The machines', one for every release, and how many may be pulled."""
    yield OfMachines(house)
    for release in house.releases:
        yield OfRelease(house, release)
    yield Pulls(house)


def _those(found: Looks, *standings: Standing) -> Iterator[tuple[str, ImageLook]]:
    return ((image, one) for image, one in found.items() if isinstance(one, ImageLook) and one.standing in standings)


def _line(host: str, allowance: Allowance, images: int, nodes: int) -> str:
    of = f" of {allowance.limit}" if allowance.limit is not None else ""
    window = f" for {duration(allowance.window_s)}" if allowance.window_s else ""
    most = f" to {images * nodes}" if nodes > 1 else ""
    return f"{host} allows {allowance.left}{of} more pulls{window}, and {images}{most} are made"

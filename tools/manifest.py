"""The one list of programs: what each is for, who needs it, what it is built from and which versions of it fit.

Knows neither where a program lies on this machine nor how it gets built.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tools.versions import VersionRange, between


class Need(Enum):
    """Who needs a program."""

    RUN = "run"
    """A run against a house, real or lab, drives it."""
    LAB = "lab"
    """Only the lab runs it."""
    ASKED = "asked"
    """Only some houses need it (one whose backups are kopia's): built for who asks for it by name."""
    OPTIONAL = "optional"
    """Used when found on PATH; never built."""

    @property
    def always(self) -> bool:
        """Whether every house or the lab needs it."""
        return self in (Need.RUN, Need.LAB)


@dataclass(frozen=True)
class Source:
    """Where a program is built from: the folder under `tools/go`, the Go package, its module and version.

    `link` holds what is set at link time (`-X name=value`): without it the programs call themselves "unknown" or
    "v0.0.0-master" and everybody's version gates misjudge. `cold_s` is what it took on 2 cores in the
    order of this list, the caches empty at its start (the seconds are measured; alone, talosctl takes 6 minutes).
    `script` is a file of the module that is the program as it stands: it is copied, nothing is compiled, `package` is "".
    """

    folder: str
    package: str
    module: str
    version: str
    cold_s: int
    link: tuple[str, ...] = ()
    script: str = ""

    @property
    def linker_flags(self) -> str:
        """The value of go build's `-ldflags`: no symbol tables (a third of the size), then `link`."""
        return " ".join(["-s", "-w", *(f"-X {setting}" for setting in self.link)])


@dataclass(frozen=True)
class Program:
    """One program. `ask` are the arguments that make it print its version; empty where it has no such question, then the
    version is read from the build information that Go leaves in the file.
    """

    name: str
    purpose: str
    need: Need
    fits: VersionRange
    source: Source | None
    ask: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definitions:
    """Custom resource definitions that come as files inside a Go module: `pattern` below the module's root."""

    name: str
    folder: str
    module: str
    pattern: str


_KUBE_VERSION = "v1.36.3"
_KUBE_LINK = tuple(
    f"k8s.io/component-base/version.{name}={value}"
    for name, value in (("gitVersion", _KUBE_VERSION), ("gitMajor", "1"), ("gitMinor", "36"))
)
_SERVER_MINOR = between("1.36.0", "1.37.0", "the lab's houses are at Kubernetes 1.36")
_AGE = between("1.1.0", "2.0.0")


def _kubernetes(name: str, cold_s: int) -> Source:
    return Source("kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", _KUBE_VERSION, cold_s, _KUBE_LINK)


def _age(name: str) -> Source:
    return Source("secrets-and-backup", f"filippo.io/age/cmd/{name}", "filippo.io/age", "v1.3.1", 2)


def _flux(name: str, version: str, cold_s: int) -> Source:
    module = f"github.com/fluxcd/{name}"
    return Source(name, module, module, version, cold_s)


# In the order of building: small and needed by most first.
PROGRAMS: tuple[Program, ...] = (
    Program(
        "restic",
        "reads backup repositories, and is what the lab's movers run",
        Need.RUN,
        between("0.17.1", "1.0.0", "older ones have no exit code for a wrong password or a missing repository"),
        Source("secrets-and-backup", "github.com/restic/restic/cmd/restic", "github.com/restic/restic", "v0.18.1", 95),
        ask=("version",),
    ),
    Program(
        "sops",
        "decrypts the house's secrets",
        Need.RUN,
        between("3.10.0", "4.0.0", "older ones ask the internet for their newest version"),
        Source(
            "secrets-and-backup", "github.com/getsops/sops/v3/cmd/sops", "github.com/getsops/sops/v3", "v3.13.3", 40
        ),
        ask=("--version", "--disable-version-check"),
    ),
    Program("age", "encrypts and decrypts with the house's key", Need.RUN, _AGE, _age("age"), ask=("--version",)),
    Program(
        "age-keygen", "tells the public half of the house's key", Need.RUN, _AGE, _age("age-keygen"), ask=("--version",)
    ),
    Program(
        "etcd",
        "the store behind the lab's API servers",
        Need.LAB,
        between("3.5.0", "3.7.0", "what Kubernetes 1.36 is released with, and one minor before"),
        Source("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", "v3.6.12", 45),
        ask=("--version",),
    ),
    Program(
        "etcdutl",
        "makes the lab's etcd of a snapshot, as Talos does",
        Need.LAB,
        between("3.5.0", "3.7.0", "a snapshot is read by the minor that wrote it, or a later one"),
        # Asked, it tells the version of the server that it was built with.
        Source("etcdutl", "go.etcd.io/etcd/etcdutl/v3", "go.etcd.io/etcd/etcdutl/v3", "v3.6.10", 8),
    ),
    Program(
        "kube-apiserver",
        "the lab's API servers",
        Need.LAB,
        _SERVER_MINOR,
        _kubernetes("kube-apiserver", 220),
        ask=("--version",),
    ),
    Program(
        "kubectl",
        "applies definitions, and is what a person would type",
        Need.RUN,
        between("1.35.0", "1.38.0", "at most one minor away from the API server"),
        _kubernetes("kubectl", 25),
        ask=("version", "--client"),
    ),
    Program(
        "kube-controller-manager",
        "the lab's controllers of claims, Jobs and Deployments",
        Need.LAB,
        _SERVER_MINOR,
        _kubernetes("kube-controller-manager", 55),
        ask=("--version",),
    ),
    Program(
        "talhelper",
        "renders machineconfigs from talconfig.yaml",
        Need.RUN,
        between("3.1.0", "3.2.0", "another minor writes another generation of machineconfig"),
        Source(
            "talhelper",
            "github.com/budimanjojo/talhelper/v3",
            "github.com/budimanjojo/talhelper/v3",
            "v3.1.16",
            60,
            ("github.com/budimanjojo/talhelper/v3/cmd.version=v3.1.16",),
        ),
        ask=("--version",),
    ),
    Program(
        "talosctl",
        "talks to the nodes",
        Need.RUN,
        between("1.12.0", "1.15.0", "the two generations of client that the adapter and the lab speak"),
        Source("talos", "github.com/siderolabs/talos/cmd/talosctl", "github.com/siderolabs/talos", "v1.13.9", 140),
        ask=("version", "--client", "--short"),
    ),
    Program(
        "helm",
        "installs releases, called by helmfile, and tells their state",
        Need.RUN,
        between("3.14.0", "4.0.0", "Helm 4 waits in another way"),
        Source(
            "helm",
            "helm.sh/helm/v3/cmd/helm",
            "helm.sh/helm/v3",
            "v3.22.0",
            60,
            ("helm.sh/helm/v3/internal/version.version=v3.22.0",),
        ),
        ask=("version", "--short"),
    ),
    Program(
        "volsync",
        "the lab's VolSync manager",
        Need.LAB,
        between("0.16.0", "0.17.0", "the lab's houses and its mover's script are of this minor"),
        Source(
            "volsync",
            "github.com/backube/volsync/cmd",
            "github.com/backube/volsync",
            "v0.16.0",
            90,
            ("main.volsyncVersion=v0.16.0",),
        ),
    ),
    Program(
        "volsync-mover",
        "the script that VolSync's restic movers run",
        Need.LAB,
        between("0.16.0", "0.17.0", "of the same minor as the lab's VolSync manager"),
        Source("volsync", "", "github.com/backube/volsync", "v0.16.0", 1, script="mover-restic/entry.sh"),
    ),
    Program(
        "snapshot-controller",
        "the lab's controller of volume snapshots",
        Need.LAB,
        between("8.4.0", "9.0.0"),
        Source(
            "snapshot-controller",
            "github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller",
            "github.com/kubernetes-csi/external-snapshotter/v8",
            "v8.6.0",
            100,
            ("main.version=v8.6.0",),
        ),
        ask=("--version",),
    ),
    Program(
        "helmfile",
        "installs the first releases in order",
        Need.RUN,
        between("1.0.0", "2.0.0"),
        Source(
            "helmfile",
            "github.com/helmfile/helmfile",
            "github.com/helmfile/helmfile",
            "v1.8.0",
            270,
            ("go.szostok.io/version.version=1.8.0",),
        ),
        ask=("--version",),
    ),
    Program(
        "source-controller",
        "the lab's Flux: fetches repositories and charts",
        Need.LAB,
        between("1.9.0", "1.10.0", "the lab's definitions are of this minor"),
        _flux("source-controller", "v1.9.1", 160),
    ),
    Program(
        "kustomize-controller",
        "the lab's Flux: applies Kustomizations",
        Need.LAB,
        between("1.9.0", "1.10.0", "the lab's definitions are of this minor"),
        _flux("kustomize-controller", "v1.9.4", 100),
    ),
    Program(
        "helm-controller",
        "the lab's Flux: installs HelmReleases",
        Need.LAB,
        between("1.6.0", "1.7.0", "the lab's definitions are of this minor"),
        _flux("helm-controller", "v1.6.3", 80),
    ),
    Program(
        "kopia",
        "reads the repositories of houses that kopia backs up",
        Need.ASKED,
        between("0.22.0", "1.0.0", "the words that the audit asks it in were tried with 0.22"),
        Source("kopia", "github.com/kopia/kopia", "github.com/kopia/kopia", "v0.22.3", 135),
        ask=("--version",),
    ),
    Program(
        "op",
        "resolves op:// references, where the house has any",
        Need.OPTIONAL,
        between("2.0.0", "3.0.0"),
        None,
        ask=("--version",),
    ),
)

DEFINITIONS: tuple[Definitions, ...] = (
    Definitions("volsync", "volsync", "github.com/backube/volsync", "config/crd/bases/*.yaml"),
    Definitions(
        "snapshots",
        "snapshot-controller",
        "github.com/kubernetes-csi/external-snapshotter/client/v8",
        # Group snapshots are optional for the controller, and nothing here uses them.
        "config/crd/snapshot.storage.k8s.io_*.yaml",
    ),
    *(
        Definitions(name, name, f"github.com/fluxcd/{name}", "config/crd/bases/*.yaml")
        for name in ("source-controller", "kustomize-controller", "helm-controller")
    ),
)


def named(name: str) -> Program:
    """The program of that name; raises KeyError for a name that the manifest does not hold (a bug of the caller)."""
    for program in PROGRAMS:
        if program.name == name:
            return program
    raise KeyError(f"no program named {name!r} in tools/manifest.py")


def needed_by(need: Need | None) -> tuple[Program, ...]:
    """The programs that can be built and that `need` asks for, in the order of building; None asks for all that every house and
    the lab need."""
    return tuple(p for p in PROGRAMS if p.source is not None and (p.need.always if need is None else p.need is need))


def buildable() -> tuple[str, ...]:
    """Names of all programs that can be built, those too that somebody has to ask for."""
    return tuple(p.name for p in PROGRAMS if p.source is not None)

"""The house as the steps see it: settings and the home-ops repository joined into frozen values. Knows no YAML and no port.

`house/loader.py` makes a House from blackstart.yaml and the repository it points to. Sizes are in bytes, times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from house.data.nouns import NO_DATA, DeclaredData
from house.declared.kinds import NO_KINDS, DeclaredKinds
from house.files.grammar import number_of
from house.flux.rendered import NotFollowed, Rendered
from house.repository.backups.mover_policies import MoverPolicy
from house.repository.programs import DeclaredProgram
from house.repository.talconfigs.machine import MachineSetting
from house.settings.references import SecretRef as SecretRef
from house.values.afterwards import NO_ETCD, NO_EVIDENCE, NO_KIT, NO_MESSAGES, EtcdSnapshots, Evidence, Kit, Messages
from house.values.databases import Database, DatabaseArchive, RestorableDatabase
from house.values.dns import DnsServer
from house.values.hardware import UNSAID, Hardware
from house.values.nas import Nas
from house.values.reach import EVERYWHERE, Reach
from house.values.rehearsing import NO_REHEARSAL, Rehearsal
from house.values.sources import BackedUpClaim as BackedUpClaim
from house.values.sources import Requirement as Requirement


@dataclass(frozen=True)
class ProxmoxEndpoint:
    """One Proxmox API endpoint: `url` as https://host:8006, SHA-256 `fingerprint` of its certificate ("" to use `ca_file`)."""

    url: str
    fingerprint: str
    ca_file: str = ""


@dataclass(frozen=True)
class ProxmoxAccess:
    """How to reach the Proxmox cluster: endpoints in the order to try, and the API token (user@realm!name + secret)."""

    endpoints: tuple[ProxmoxEndpoint, ...]
    token_id: str
    token_secret: SecretRef


class DiskFate(Enum):
    """What a disk holds: data to keep, so that one which outlived its VM stops the run, or what can be created anew.

    No disk that exists is changed in either case.
    """

    KEEP = "keep"
    CREATE = "create"


@dataclass(frozen=True)
class NodeDisk:
    """One disk of a node's VM, in the order the guest sees those of its bus (scsi0 → /dev/sda, virtio0 → /dev/vda)."""

    slot: str
    storage: str
    size: int
    fate: DiskFate
    system: bool


@dataclass(frozen=True)
class Node:
    """One Talos node and the VM it lives in. `addresses` and MAC come from talconfig, host and VM id from blackstart.yaml.

    A machine of metal has neither (host "", id 0): it is never made, started or asked for in Proxmox. `image` is what its system
    disk is imported from where that is another one than the house's; `schematic` the id of what talconfig installs, "" where
    nothing says.
    """

    name: str
    address: str
    mac: str
    control_plane: bool
    install_disk: str
    host: str
    vm_id: int
    cores: int
    memory: int
    bridge: str
    disks: tuple[NodeDisk, ...]
    hardware: Hardware = UNSAID
    image: TalosImage | None = None
    schematic: str = ""

    @property
    def metal(self) -> bool:
        """Whether it is a machine of its own, and no VM."""
        return not self.host


@dataclass(frozen=True)
class TalosImage:
    """The disk image that system disks are imported from: where it is fetched, its checksum ("" = ask the factory), and
    the storage (content type `import`) it is put on, on every host that needs it. Without a URL a person has put it there: an
    image to import, or an ISO that VMs begin from. `label` tells one that only some nodes are made of, "" for the house's."""

    url: str
    sha256: str
    storage: str
    filename: str
    ca_file: str = ""
    label: str = ""

    @property
    def iso(self) -> bool:
        """Whether VMs are started from it with an empty disk, and not made of it."""
        return self.filename.endswith(".iso")

    @property
    def volume(self) -> str:
        """Its volume id on its storage."""
        return f"{self.storage}:{'iso' if self.iso else 'import'}/{self.filename}"


@dataclass(frozen=True)
class TalosCluster:
    """The cluster as talconfig.yaml says it. `plain_bundle`: the secrets bundle lies there without sops' encryption."""

    name: str
    endpoint: str
    vip: str
    talos_version: str
    kubernetes_version: str
    talconfig: Path
    secrets_bundle: Path
    plain_bundle: bool = False

    @property
    def api_port(self) -> int:
        """Port of the Kubernetes API, out of `endpoint`."""
        return number_of(self.endpoint.rsplit(":", 1)[-1], 65535) or 6443


@dataclass(frozen=True)
class Release:
    """One release of a helmfile of the repository; `needs` holds `namespace/name`."""

    namespace: str
    name: str
    chart: str
    version: str
    needs: tuple[str, ...]
    atomic: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class CrdForm(Enum):
    """How the definitions of a CrdSource are had."""

    URL = "url"
    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True)
class CrdSource:
    """Custom resource definitions that the settings name: `place` is a URL or an absolute path, `sha256` "" where none is given.

    A URL always has a checksum; a folder, which kustomize builds, never. `version` is for people.
    """

    key: str
    form: CrdForm
    place: str
    version: str = ""
    sha256: str = ""
    ca_file: str = ""


class SecretForm(Enum):
    """How references become a Secret's data: each is one key's value, or one deploy key that becomes the fields Flux knows."""

    KEYS = "keys"
    DEPLOY_KEY = "deploy-key"


@dataclass(frozen=True)
class BootstrapSecret:
    """One Secret that is put into the cluster before the releases: `keys` refer to its values, `type` is Kubernetes' type of it."""

    namespace: str
    name: str
    keys: tuple[tuple[str, SecretRef], ...]
    form: SecretForm = SecretForm.KEYS
    type: str = "Opaque"

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class FluxSource:
    """What Flux pulls: the Git URL, branch and path, and the names of its objects in the cluster."""

    namespace: str
    name: str
    url: str
    branch: str
    path: str
    deploy_key: SecretRef | None = None


@dataclass(frozen=True)
class FluxApp:
    """One Flux Kustomization found in kubernetes/apps: where it is, what it waits for, where it puts things.

    `decryption` names the Secret of its namespace that it decrypts with, "" for none; `parent` (`namespace/name`) is the
    Kustomization that makes it, "" for the one that Flux was told of.
    """

    namespace: str
    name: str
    target_namespace: str
    path: str
    depends_on: tuple[str, ...]
    wait: bool
    suspended: bool = False
    decryption: str = ""
    parent: str = ""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class UnsupportedBackup:
    """A backup declared in the repository that we cannot hold or open (kopia, kopiur, another mover): named, never skipped."""

    namespace: str
    name: str
    engine: str
    declared_in: str
    reach: Reach = EVERYWHERE


@dataclass(frozen=True)
class Limits:
    """How much at once, and how long: parallel steps in all and per system, and the waits that differ between houses
    (`look_s`: one repository, looked at down to its trees). `op_reads`: of 1Password in 24 hours, 0 for not to ask it."""

    parallel: int = 8
    proxmox_parallel: int = 4
    restore_parallel: int = 4
    boot_s: float = 600.0
    api_s: float = 600.0
    release_s: float = 900.0
    flux_s: float = 1800.0
    restore_s: float = 7200.0
    look_s: float = 300.0
    op_reads: int = 0


@dataclass(frozen=True)
class House:
    """One house, whole. `id` is its lineage and the root of the owner tokens; `simulated` marks the lab.

    `crd_charts` are the entries of `crd_helmfile` (None: the repository has none), of which only the CRDs are installed.
    `crd_sources` and `secrets` are put into the cluster before any release; the age key and the deploy key are among `secrets`.
    `kopia` are claims that kopia backs up and that a rule of the settings opens: audited, those of VolSync's fork held, and
    restored by hand. They are in `unsupported` too, for nothing proves them.
    `second_backups` are further sources of claims that are in `claims`, into the same repository. `not_followed` declares
    what nobody has seen. `data` is all that holds data by Git, and what of it has no backup; `unprotected` the names and reasons
    of the settings. `kinds` is what Flux will apply, by kind; `rendered` all of it; `programs` what will run; `machine` what Git
    tells the machines; `rehearsal` what is demanded of drills; `lint_accepted` which findings of the lint are known, and why.
    `unfinished` names the sections of the settings of which nothing was taken, where Git was enough; `helmfile_environment` is what
    helmfile is given of variables, and the age key too where it opens what SOPS has encrypted (`helmfile_opens_sops`).
    `helm_plugins` are those that it needs, by name, with what asks for each.
    `notes` are lines about what in the repository could not be followed, as `file:line: what; what would be right`;
    `refused_patches` those of them about Talos patches that talhelper will not apply, `unread` those that hide what is declared
    behind them, backups too.
    """

    id: str
    name: str
    simulated: bool
    settings_file: Path
    root: Path
    state_dir: Path
    proxmox: ProxmoxAccess
    nodes: tuple[Node, ...]
    image: TalosImage
    cluster: TalosCluster
    helmfile: Path
    releases: tuple[Release, ...]
    namespaces: tuple[str, ...]
    flux: FluxSource
    flux_apps: tuple[FluxApp, ...]
    age_key: SecretRef
    age_recipient: str
    claims: tuple[BackedUpClaim, ...]
    unsupported: tuple[UnsupportedBackup, ...]
    limits: Limits
    databases: tuple[Database, ...] = ()
    archives: tuple[DatabaseArchive, ...] = ()
    restorable: tuple[RestorableDatabase, ...] = ()
    data: DeclaredData = NO_DATA
    unprotected: tuple[tuple[str, str], ...] = ()
    crd_helmfile: Path | None = None
    crd_charts: tuple[Release, ...] = ()
    crd_sources: tuple[CrdSource, ...] = ()
    secrets: tuple[BootstrapSecret, ...] = ()
    notes: tuple[str, ...] = ()
    refused_patches: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    second_backups: tuple[UnsupportedBackup, ...] = ()
    not_followed: tuple[NotFollowed, ...] = ()
    kinds: DeclaredKinds = NO_KINDS
    nas: tuple[Nas, ...] = ()
    dns: tuple[DnsServer, ...] = ()
    mover_policies: tuple[MoverPolicy, ...] = ()
    evidence: Evidence = NO_EVIDENCE
    kit: Kit = NO_KIT
    etcd: EtcdSnapshots = NO_ETCD
    messages: Messages = NO_MESSAGES
    rehearsal: Rehearsal = NO_REHEARSAL
    programs: tuple[DeclaredProgram, ...] = ()
    rendered: Rendered = field(default=Rendered(), repr=False, compare=False)
    machine: tuple[MachineSetting, ...] = ()
    lint_accepted: tuple[tuple[str, str], ...] = ()
    kopia: tuple[BackedUpClaim, ...] = ()
    unfinished: tuple[str, ...] = ()
    helmfile_environment: tuple[tuple[str, str], ...] = ()
    helmfile_opens_sops: bool = False
    helm_plugins: tuple[tuple[str, str], ...] = ()

    @property
    def unaudited(self) -> tuple[UnsupportedBackup, ...]:
        """Those of `unsupported` that no rule of the settings opens: nobody looks at them."""
        opened = {(one.namespace, one.claim, one.declared_in) for one in self.kopia}
        return tuple(one for one in self.unsupported if (one.namespace, one.name, one.declared_in) not in opened)

    @property
    def held_kopia(self) -> tuple[BackedUpClaim, ...]:
        """The claims of `kopia` that are no claims of restic's besides, each once: the hold knows what VolSync's fork makes of
        them, so a run holds them. What kopiur moves it refuses too, but by no claim's name."""
        taken = {claim.key for claim in self.claims}
        found = {one.key: one for one in reversed(self.kopia) if one.by == "ReplicationSource" and one.key not in taken}
        return tuple(reversed(found.values()))

    @property
    def unheld(self) -> tuple[UnsupportedBackup, ...]:
        """Those of `unsupported` that no run can hold: a cluster that has them is not handed over."""
        held = {(one.namespace, one.claim, one.declared_in) for one in self.kopia if one.by == "ReplicationSource"}
        return tuple(one for one in self.unsupported if (one.namespace, one.name, one.declared_in) not in held)

    @property
    def vms(self) -> tuple[Node, ...]:
        """The nodes that are VMs of Proxmox."""
        return tuple(n for n in self.nodes if not n.metal)

    @property
    def metal(self) -> tuple[Node, ...]:
        """The nodes that are machines of their own: their power is a person's."""
        return tuple(n for n in self.nodes if n.metal)

    def image_of(self, node: Node) -> TalosImage:
        """What the system disk of this node's VM is imported from."""
        return node.image or self.image

    @property
    def images(self) -> tuple[TalosImage, ...]:
        """Every image that a VM is made of, each once; the house's where it has no VM."""
        return tuple(dict.fromkeys(map(self.image_of, self.vms))) or (self.image,)

    @property
    def control_planes(self) -> tuple[Node, ...]:
        """Control-plane nodes in the order of talconfig."""
        return tuple(n for n in self.nodes if n.control_plane)

    @property
    def bootstrap_node(self) -> Node:
        """The one fixed node that etcd is bootstrapped on: the first control plane of talconfig."""
        return self.control_planes[0]

    def node(self, name: str) -> Node:
        """The node of this name; KeyError if the house has none."""
        return {node.name: node for node in self.nodes}[name]

    def owner_token(self, node: Node) -> str:
        """The mark our VM of this node carries: derived from the house's id, so that it never depends on the journal."""
        return f"blackstart:{self.id}:{node.name}"

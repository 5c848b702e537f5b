"""blackstart.yaml as typed sections: what the repository cannot say. Holds references to secrets, never a secret.

Every field's description is what `would be right` when it is missing, and its first example shows how it is written.
Knows nothing of the repository: rules across files are in house/rules/crossrules.py.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from house.settings.backups import BackupsSection
from house.settings.dns import DnsSection
from house.settings.nas import DatasetName, ExportPlace, MachineName, NasServer, SshServer, UserName
from house.settings.nodes import NodeDefaultsSection, NodeSection
from house.settings.rehearsal import ObjectivesSection, RehearsalSection
from house.settings.section import Section
from house.settings.section import what as _what
from house.settings.values import (
    AGE,
    Age,
    Branch,
    EntryName,
    Fingerprint,
    GitUrl,
    HostName,
    HouseId,
    HttpsUrl,
    ImageUrl,
    ImageVolume,
    KitRecipient,
    KubeName,
    Name,
    NamespaceName,
    PathText,
    Reason,
    Reference,
    RepositoryPath,
    Schematic,
    SecretKey,
    ServerUrl,
    Sha256,
    StorageName,
    TalosVersion,
    TokenId,
    Wait,
    wrong,
)
from house.settings.variables import VariableName, VariableValue
from house.values.afterwards import PROVE_EVERY

DEFAULT_MAX_AGE = 36 * 3600.0
"""The greatest age of a backup, in seconds, where neither the file nor the source's schedule says anything: a daily backup that was
missed once and is late."""
DEFAULT_MAX_LOG_AGE = 6 * 3600.0
"""How long ago a database's log may have ended, in seconds: one that is written to archives a segment every few minutes."""
DEFAULT_MAX_LOSS = 0.01


class HouseSection(Section):
    """Which house this is, and where its repository lies."""

    name: Name = _what("the house's name", "home-ops")
    id: HouseId = _what("the house's id, made once by config.init and never changed", '"5f1d7c2a9e"')
    simulated: bool = _what("whether this is the lab", True, False)
    repository: PathText = _what("the home-ops repository's folder, seen from this file", ".", ".")
    state: PathText = _what("the folder for the journal and kubeconfig, seen from this file", "state/home-ops", "")


class EndpointSection(Section):
    """One Proxmox API endpoint, and how its certificate is known to be the right one."""

    url: ServerUrl = _what("the API's URL", "https://10.0.0.11:8006")
    fingerprint: Fingerprint | None = _what("the certificate's SHA-256 fingerprint", "AB:CD:…", None)
    ca_file: PathText | None = _what("the file of the CA that signed the certificate", "pve-root-ca.pem", None)

    @model_validator(mode="after")
    def _one_way_to_know_it(self) -> EndpointSection:
        if (self.fingerprint is None) == (self.ca_file is None):
            found = "has neither fingerprint nor ca_file" if self.fingerprint is None else "has both fingerprint and ca_file"
            raise wrong(found, "give one of the two")
        return self


class TokenSection(Section):
    """The API token that Blackstart uses."""

    id: TokenId = _what("the token's id", "blackstart@pve!run")
    secret: Reference = _what("a reference to the token's secret", "env:PROXMOX_TOKEN_SECRET")


class ProxmoxSection(Section):
    """How to reach the Proxmox cluster."""

    endpoints: list[EndpointSection] = Field(
        description="the API endpoints, in the order to try", examples=["[{url: …}]"], min_length=1
    )
    token: TokenSection = _what("the API token; SECURITY.md has the commands that make it", "{id: …, secret: …}")
    hosts: list[HostName] = _what("the Proxmox hosts' names, to catch a misspelt one early", ["pve-1"], [])


class ImageSection(Section):
    """The Talos disk image: a URL, or a schematic of an Image Factory."""

    url: ImageUrl | None = _what("the image's URL", "https://factory.talos.dev/image/…/nocloud-amd64.qcow2", None)
    factory: HttpsUrl = _what("the Image Factory", "https://factory.talos.dev", "https://factory.talos.dev")
    schematic: Schematic | None = _what("the factory's schematic id", "376567988ad3…", None)
    version: TalosVersion | None = _what("the Talos version, talconfig.yaml's when left out", "v1.13.9", None)
    sha256: Sha256 | None = _what("the image's SHA-256 checksum", "64 hex digits", None)
    ca_file: PathText | None = _what("the file of the CA that signed the factory's certificate", "factory-ca.pem", None)
    storage: StorageName | None = _what("the Proxmox storage with content type import that it is put on", "local", None)
    volume: ImageVolume | None = _what(
        "an image or an ISO that is on a storage of each host already, put there by a person", "local:iso/metal-amd64.iso", None
    )

    @model_validator(mode="after")
    def _one_way_to_get_it(self) -> ImageSection:
        if self.volume is not None:
            if given := [name for name in ("url", "schematic", "version", "sha256", "storage") if getattr(self, name) is not None]:
                raise wrong(f"has volume and {given[0]}", "leave one out: what a volume names is there already, and is not fetched")
            return self
        if (self.url is None) == (self.schematic is None):
            found = "has none of url, schematic and volume" if self.url is None else "has both url and schematic"
            raise wrong(found, "give one of them")
        if self.storage is None:
            raise wrong("has no storage", "name the Proxmox storage with content type import, as in `storage: local`")
        if self.url is not None and self.version is not None:
            raise wrong("has both url and version", "leave version out: the url says it")
        return self


class GitSection(Section):
    """Where Flux pulls from, when the repository does not say it or says it differently."""

    url: GitUrl | None = _what("the URL that Flux pulls", "https://github.com/me/home-ops.git", None)
    branch: Branch | None = _what("the branch that Flux pulls", "main", None)
    path: RepositoryPath | None = _what("the folder that Flux is told to apply", "kubernetes/flux/cluster", None)
    deploy_key: Reference | None = _what("a reference to the private deploy key", "file:~/.ssh/home-ops", None)


class CrdsEntrySection(Section):
    """Custom resource definitions that must be there before the first release: of one file or folder, or behind one URL."""

    name: EntryName | None = _what("what the entry is called, made of its place when left out", "gateway-api", None)
    url: HttpsUrl | None = _what("the URL of the manifest", "https://github.com/…/v1.3.0/standard-install.yaml", None)
    file: PathText | None = _what("the manifest's file, seen from this file", "bootstrap/crds/gateway.yaml", None)
    folder: PathText | None = _what("a kustomize folder, seen from this file", "bootstrap/crds", None)
    version: str | None = Field(default=None, description="which version it is, for people", examples=["v1.3.0"], min_length=1)
    sha256: Sha256 | None = _what("the manifest's SHA-256 checksum", "64 hex digits", None)
    ca_file: PathText | None = _what("the file of the CA that signed the server's certificate", "mirror-ca.pem", None)

    @model_validator(mode="after")
    def _one_place(self) -> CrdsEntrySection:
        _one_of(url=self.url, file=self.file, folder=self.folder)
        if self.url is not None and self.sha256 is None:
            trusted = f" --cacert '{self.ca_file}'" if self.ca_file else ""
            better = f"add `sha256:` with what this prints: curl -sSfL{trusted} '{self.url}' | sha256sum | cut -c1-64"
            raise wrong("has a url without a checksum", better)
        if self.folder is not None and self.sha256 is not None:
            raise wrong("has a checksum for a folder", "leave sha256 out: what lies in Git is known by its commit")
        if self.ca_file is not None and self.url is None:
            raise wrong("has a ca_file, and asks no server", "leave ca_file out")
        return self


class BootstrapSecretSection(Section):
    """One Secret that a release or Flux waits for, from references; or the encrypted manifests that hold some."""

    name: KubeName | None = _what("the Secret's name", "onepassword-secret", None)
    namespace: NamespaceName | None = _what("the namespace it goes to", "external-secrets", None)
    keys: dict[SecretKey, Reference] | None = Field(
        default=None, description="references by key of the Secret", examples=[{"token": "op://home/connect/token"}], min_length=1
    )
    file: PathText | None = _what("a manifest encrypted with sops, seen from this file", "bootstrap/secrets.sops.yaml", None)
    folder: PathText | None = _what("a kustomize folder of such manifests, seen from this file", "bootstrap/secrets", None)

    @model_validator(mode="after")
    def _one_place(self) -> BootstrapSecretSection:
        _one_of(keys=self.keys, file=self.file, folder=self.folder)
        if self.keys is not None and (self.name is None or self.namespace is None):
            lacking = "name" if self.name is None else "namespace"
            raise wrong(f"has keys and no {lacking}", f"write the Secret's {lacking}")
        if self.keys is None and self.name is not None:
            raise wrong("has a name, which the manifest says", "leave name out")
        return self


def _one_of(**places: object) -> None:
    given = [name for name, value in places.items() if value is not None]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else f"has none of {', '.join(places)}"
        raise wrong(found, "give exactly one of them")


class BootstrapSection(Section):
    """What is put into the cluster before its releases, besides what the helmfiles bring."""

    crds: list[CrdsEntrySection] = _what("custom resource definitions to apply first", "[{url: …, sha256: …}]", [])
    secrets: list[BootstrapSecretSection] = _what("Secrets to make first", "[{name: …, namespace: …, keys: …}]", [])
    environment: dict[VariableName, VariableValue] = _what(
        "variables that helmfile is given, no secret among them", {"CLUSTER": "main", "ROOT_DIR": "."}, {}
    )


class SopsSection(Section):
    """The age key that decrypts the repository's secrets."""

    age_key: Reference = _what("a reference to the age key", "file:age.key")
    recipient: str | None = Field(
        None, description="the age key's public half, .sops.yaml's when left out", examples=["age1…"], pattern=AGE
    )


class NasSection(Section):
    """One NAS (TrueNAS), what it is known by, who asks it, and what must be there."""

    url: NasServer = _what("the NAS's address", "wss://nas.lan")
    fingerprint: Fingerprint | None = _what("the certificate's SHA-256 fingerprint", "AB:CD:…", None)
    ca_file: PathText | None = _what("the file of the CA that signed the certificate", "nas-ca.pem", None)
    username: UserName = _what("the user that the key belongs to", "blackstart")
    api_key: Reference = _what("a reference to the user's API key", "env:NAS_API_KEY")
    ssh: SshServer | None = _what("how exports are listed, and midclt asked where there is no API", "ssh://root@nas.lan", None)
    ssh_known_hosts: PathText | None = _what("the file with its SSH key, your own when left out", "nas_known_hosts", None)
    ssh_key: PathText | None = _what("the private key that logs in, your own or your agent's when left out", "nas_key", None)
    smb_user: UserName | None = _what("the user that its SMB shares are listed as", "blackstart", None)
    smb_password: Reference | None = _what("a reference to that user's password", "env:NAS_SMB_PASSWORD", None)
    also: list[MachineName] = _what("its other names and addresses, as manifests have them", ["10.0.0.5"], [])
    vm: int | None = Field(default=None, description="the id of the VM that it is", examples=[105], ge=100, le=999_999_999)
    vm_name: MachineName | None = _what("that VM's name on Proxmox, the NAS's own when left out", "truenas", None)
    vm_backup_age: Age = _what("how old the newest backup of its VM (vzdump, PBS) may be", "8d", 35 * 86400.0)
    datasets: list[DatasetName] = _what("datasets that must be there, unlocked", ["tank/backup"], [])
    exports: list[ExportPlace] = _what("exports that must be there, //NAME for SMB", ["/mnt/tank/backup", "//media"], [])
    scrub_age: Age = _what("how long ago a pool may have been scrubbed last", "45d", 45 * 86400.0)
    snapshot_age: Age | None = _what("the greatest age of a dataset's newest snapshot, its task's when left out", "36h", None)
    replication_age: Age = _what("how long ago a replication may have run last", "36h", 0.0)
    accepted: dict[str, Reason] = _what(
        "what is wrong with it and stops no restore, and why", {"pool tank FAULTED_DEV_R": "the disk is on its way"}, {}
    )

    @model_validator(mode="after")
    def _one_way_to_know_it(self) -> NasSection:
        if (self.fingerprint is None) == (self.ca_file is None):
            found = "has neither fingerprint nor ca_file" if self.fingerprint is None else "has both fingerprint and ca_file"
            raise wrong(found, "give one of the two")
        if self.vm_name is not None and self.vm is None:
            raise wrong("has a vm_name and no vm", "give the VM's id too, or neither")
        if (self.smb_user is None) != (self.smb_password is None):
            raise wrong("has one of smb_user and smb_password", "give both, or neither")
        if self.ssh is None and (self.ssh_known_hosts or self.ssh_key):
            raise wrong("has ssh_known_hosts or ssh_key, and no ssh", "say whom to log in to: ssh://user@host")
        return self


_NAS = {"nas": {"url": "wss://nas.lan", "fingerprint": "AA:BB:…", "username": "blackstart", "api_key": "env:NAS_API_KEY"}}


_DNS = {"inside": {"server": "10.0.0.1", "names": {"nas.example.com": "10.0.0.5"}}}


class LimitsSection(Section):
    """How much at once, and how long to wait."""

    parallel: int = Field(default=8, description="how many steps run at once", examples=[8], ge=1, le=64)
    proxmox_parallel: int = Field(default=4, description="how many Proxmox steps run at once", examples=[4], ge=1, le=64)
    restore_parallel: int = Field(default=4, description="how many claims are restored at once", examples=[4], ge=1, le=64)
    boot: Wait = _what("how long a node may take to start", "10m", 600.0)
    api: Wait = _what("how long the Kubernetes API may take", "10m", 600.0)
    release: Wait = _what("how long one release may take", "15m", 900.0)
    flux: Wait = _what("how long Flux may take", "30m", 1800.0)
    restore: Wait = _what("how long one restore may take", "2h", 7200.0)
    op_reads: int = Field(
        default=0, description="reads of 1Password in 24 hours for what Git names of it, none for 0", examples=[200], ge=0, le=10**5
    )
    look: Wait = _what("how long one repository may take to be looked at, down to its trees", "5m", 300.0)


class EvidenceSection(Section):
    """What signs the evidence of runs, and how often each backup must be proven."""

    key: PathText | None = _what("the SSH key (ed25519) that signs, one of our own when left out", "~/.ssh/evidence", None)
    prove_every: Age = _what("how old the proof of a backup may be", "31d", PROVE_EVERY)


class KitSection(Section):
    """Who can open the kit, and what a person needs to be told who has never done this."""

    recipients: dict[Name, KitRecipient] = _what(
        "public keys of those who can open it, by name (age, or SSH)", {"anna": "age1…"}, {}
    )
    certificates: bool = _what("whether TLS Secrets of cert-manager are kept with it and put back first", True, False)
    notes: list[Reason] = _what("what the page says first: what to switch on, whom to ask", ["The rack's key: hall."], [])


class EtcdSection(Section):
    """Who can open etcd's snapshots, and how many are kept."""

    recipients: dict[Name, KitRecipient] = _what(
        "public keys (age, or SSH) of those who can open a snapshot besides the house's own age key; with none it is not sealed",
        {"anna": "age1…"}, {},
    )  # fmt: skip
    keep: int = Field(default=30, description="how many snapshots the state folder keeps", examples=[30], ge=3, le=10000)


class MessagesSection(Section):
    """Who is told how a rehearsal came out."""

    to: list[Reference] = _what("references to URLs of Apprise, each with its password or token", ["env:MESSAGES_URL"], [])
    when: list[Literal["PASS", "FAIL", "UNVERIFIED"]] = _what(
        "with which verdicts", ["FAIL", "UNVERIFIED"], ["FAIL", "UNVERIFIED"]
    )


class LintSection(Section):
    """What the lint finds and a person has thought about."""

    accepted: dict[str, Reason] = _what(
        "findings that are meant so, by rule and subject, and why", {"mirror-inside HelmRelease kube-system/spegel": "…"}, {}
    )


class Settings(Section):
    """The whole file."""

    house: HouseSection = _what("which house this is", "{name: home-ops, id: …}")
    proxmox: ProxmoxSection = _what("how to reach the Proxmox cluster", "{endpoints: …, token: …}")
    node_defaults: NodeDefaultsSection = _what("what nodes have in common", "{cores: 4}", NodeDefaultsSection())
    nodes: dict[str, NodeSection] = Field(
        description="where each node lives", examples=["{cp-1: {host: pve-1, vm_id: 8001}}"], min_length=1
    )
    image: ImageSection = _what("the Talos disk image", "{schematic: …, storage: local}")
    git: GitSection = _what("what Flux pulls", "{branch: main}", GitSection())
    sops: SopsSection = _what("the age key", "{age_key: 'file:age.key'}")
    bootstrap: BootstrapSection = _what("what is put into the cluster first", "{crds: …, secrets: …}", BootstrapSection())
    backups: BackupsSection = _what("how backups are opened", "{open_as: …}", BackupsSection())
    nas: dict[Name, NasSection] = _what("each NAS that the house uses", _NAS, {})
    dns: dict[Name, DnsSection] = _what("what servers of names must answer", _DNS, {})
    evidence: EvidenceSection = _what("what signs evidence, and how often backups are proven", "{key: …}", EvidenceSection())
    rehearsal: RehearsalSection = _what("what rehearsals demand of restored data", "{probe: …}", RehearsalSection())
    objectives: ObjectivesSection = _what("what is expected of a recovery", "{rpo: 36h}", ObjectivesSection())
    messages: MessagesSection = _what("who is told how a rehearsal came out", "{to: [env:MESSAGES_URL]}", MessagesSection())
    etcd: EtcdSection = _what("who can open etcd's snapshots", "{recipients: {anna: age1…}}", EtcdSection())
    kit: KitSection = _what("who can open the kit", "{recipients: {anna: age1…}}", KitSection())
    lint: LintSection = _what("what the lint finds and is accepted", "{accepted: {…: …}}", LintSection())
    limits: LimitsSection = _what("how much at once and how long", "{parallel: 8}", LimitsSection())


class BackupsPart(BaseModel):
    """What looking at backups needs of the file: the other sections may be unfinished."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)

    house: HouseSection = _what("which house this is", "{name: home-ops, id: …}")
    sops: SopsSection = _what("the age key", "{age_key: 'file:age.key'}")
    backups: BackupsSection = _what("how backups are opened", "{open_as: …}", BackupsSection())
    limits: LimitsSection = _what("how much at once and how long", "{parallel: 8}", LimitsSection())

"""The composition root: every real adapter of a house, joined into the two contexts. The lab's houses are reached the same way."""

from __future__ import annotations

import hashlib
import platform
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

from adapters.age.adapter import Age
from adapters.archives.port import ArchivesView
from adapters.backups.engines import EngineBackups
from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.ceph.flags import RookFlags
from adapters.cnpg.adapter import CloudNativePg
from adapters.components.adapter import KubernetesComponents
from adapters.context import ActContext, LookContext
from adapters.csi.adapter import KubernetesCsi
from adapters.dns.port import DnsView
from adapters.drilled import drilled
from adapters.drills.adapter import KubernetesDrills
from adapters.etcd.adapter import TalosEtcd
from adapters.etcd.sealed import Sealing
from adapters.factory.adapter import FactoryAdapter
from adapters.flux.adapter import KubernetesFlux
from adapters.git.clone import GitClone
from adapters.helm.adapter import HelmReleases
from adapters.hold.adapter import KubernetesHold
from adapters.inventory.adapter import KubernetesInventory
from adapters.kept.adapter import KubernetesKept
from adapters.kopia.adapter import KopiaBackups
from adapters.kopia.opening import KopiaOpenings
from adapters.kubernetes.adapter import KubernetesCluster
from adapters.kubernetes.client import Clients
from adapters.later import later
from adapters.leased import HouseLease, leased
from adapters.locks.adapter import ResticLocks
from adapters.manifests.adapter import ManifestFiles
from adapters.nas.port import NasView
from adapters.process.groups import end_group
from adapters.process.here import gone, this_process
from adapters.process.keeper import Keeper
from adapters.proxmox.adapter import ProxmoxAdapter
from adapters.proxmox.reserving import Party, owner_words, pool_of
from adapters.registries.port import RegistriesView
from adapters.secrets.resolver import Secrets
from adapters.surface import read_only
from adapters.talos.adapter import TalosctlTalos
from adapters.talos.machineconfigs import TalhelperMachineconfigs
from adapters.tls.adapter import KubernetesTls
from adapters.trials.adapter import KubernetesTrials
from adapters.vault.adapter import OpVault
from adapters.versions.port import Versions
from adapters.volsync.adapter import VolSyncClaims
from adapters.volsync.contents import Reader
from engine.errors import OurError, SettingsInvalid
from engine.journal import Journal
from engine.programs import EndGroup, Programs
from engine.secrets import Secret, redact
from engine.waiting import Clock
from engine.workers import Threads
from house.known.inventory import certificates_path
from house.model import House
from tools.places import Places

_SOME_SPACE = 1 << 16  # an empty file fits on a full disk

MACHINE_IDS = (Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id"))
_NO_ID = frozenset({"", "uninitialized"})


@dataclass
class RealDoors:
    """See console.opened.doors.Doors."""

    look: LookContext
    act: ActContext
    programs: Programs
    end_group: EndGroup | None
    lease: HouseLease
    keeper: Keeper
    clients: Clients
    proxmox: ProxmoxAdapter

    @property
    def holder(self) -> str:
        """See Doors."""
        return self.lease.holder

    def end_programs(self, grace_s: float) -> None:
        """See Doors."""
        self.keeper.end_all(grace_s)

    def close(self) -> tuple[str, ...]:
        """See Doors. Each is closed whatever became of the one before."""
        troubles = []
        for what, close in (
            ("give the house back (the Lease expires, a reservation goes with this machine's next run)", self.lease.drop),
            ("end our programs", self.keeper.close),
            ("close what is open to the API servers", self.clients.close), ("close what is open to Proxmox", self.proxmox.close),
        ):  # fmt: skip
            try:
                close()
            except OurError as error:
                troubles.append(redact("; ".join((f"could not {what}: {error.what}", *error.evidence))))
            except Exception as error:  # noqa: BLE001 - told, and the others are closed all the same
                troubles.append(redact(f"could not {what}: {type(error).__name__}: {error}"))
        return tuple(troubles)


def open_real_doors(house: House, run: str, clock: Clock, journal: Journal | None) -> RealDoors:
    """Make the adapters; nothing is asked of anybody yet. With a journal, the keeper holds a duplicate of its lock."""
    return _joined(house, run, clock, journal, house.state_dir, partial(leased, holder=holder_of(house), workers=Threads()))


def open_drill_doors(house: House, run: str, clock: Clock, journal: Journal | None) -> RealDoors:
    """As `open_real_doors`, for a rehearsal: it acts through its own port alone, and a recovery may run beside it."""
    folder, holder = house.state_dir / "rehearsal", f"{holder_of(house)}:rehearsal"
    return _joined(house, run, clock, journal, folder, partial(drilled, holder=holder, workers=Threads()))


def _joined(
    house: House, run: str, clock: Clock, journal: Journal | None, folder: Path,
    guard: Callable[[ActContext], tuple[ActContext, HouseLease]],
) -> RealDoors:  # fmt: skip
    _need_folder(house)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    programs = Programs()
    keeper = Keeper(folder / "programs", search=(Places().programs,), on_start=programs.noted)
    if journal is not None:
        keeper.hold(journal.lock_fileno())
    secrets = Secrets(keeper, house.root, house.age_key)
    clients = Clients(house)
    openings = Openings(secrets)
    party = Party(pool_of(house.id), owner_words(run, this_process(), clock.now(), holder_of(house)), gone)
    proxmox = ProxmoxAdapter(house.proxmox, lambda: secrets.resolve(house.proxmox.token_secret), party=party)
    machineconfigs = TalhelperMachineconfigs(
        house.cluster, [node.name for node in house.nodes], house.state_dir, keeper, lambda: secrets.resolve(house.age_key),
        age_recipient=house.age_recipient,
    )  # fmt: skip
    act = ActContext(
        run=run,
        clock=clock,
        proxmox=proxmox,
        talos=TalosctlTalos(house.state_dir, keeper, machineconfigs.os_ca),
        machineconfigs=machineconfigs,
        cluster=KubernetesCluster(clients, house, clock, secrets),
        releases=HelmReleases(clients, house, clock, keeper, lambda: secrets.resolve(house.age_key)),
        flux=KubernetesFlux(clients, house, clock),
        claims=VolSyncClaims(clients, clock, Reader(clients, clock)),
        hold=KubernetesHold(clients, clock),
        backups=EngineBackups(
            ResticBackups(keeper, openings, clock), KopiaBackups(keeper, KopiaOpenings(openings), clock)
        ),
        clone=GitClone(keeper, house.root, house.flux.url, house.flux.branch),
        factory=FactoryAdapter(house.image.ca_file),
        archives=later(partial(_archives, secrets)),
        nas=later(partial(_nas, secrets, keeper)),
        drills=KubernetesDrills(clients, house.id, clock, Reader(clients, clock)),
        trials=KubernetesTrials(clients, clock),
        csi=KubernetesCsi(clients),
        components=KubernetesComponents(clients, Age(keeper)),
        etcd=_etcd(house, keeper, machineconfigs.kubernetes_ca, lambda: secrets.resolve(house.age_key)),
        databases=CloudNativePg(clients, keeper, house.state_dir),
        kept=KubernetesKept(clients, clock),
        locks=ResticLocks(openings, clients, clock),
        inventory=KubernetesInventory(clients),
        versions=later(partial(_versions, openings, clients)),
        dns=later(_dns),
        tls=KubernetesTls(
            clients, Age(keeper), certificates_path(house), lambda: secrets.resolve(house.age_key), house.age_recipient
        ),
        vault=OpVault(keeper, house.state_dir / "vault-seen.json", clock),
        flags=RookFlags(clients, keeper),
        registries=later(partial(_registries, house)),
        manifests=ManifestFiles(keeper, house.state_dir / "crds"),
    )
    look = read_only(act)
    guarded, lease = guard(act)
    return RealDoors(look, replace(guarded, run=run), programs, end_group, lease, keeper, clients, proxmox)


def _etcd(house: House, keeper: Keeper, kubernetes_ca: Callable[[], str], age_key: Callable[[], Secret]) -> TalosEtcd:
    sealing = Sealing(Age(keeper), tuple(key for _, key in house.etcd.recipients), age_key)
    return TalosEtcd(house.state_dir, keeper, kubernetes_ca, sealing, keep=house.etcd.keep)


def _archives(secrets: Secrets) -> ArchivesView:
    """boto3, for the first that asks a bucket: beside programs that are waited for it costs nobody time."""
    from adapters.archives.adapter import S3Archives

    return S3Archives(secrets)


def _versions(openings: Openings, clients: Clients) -> Versions:
    from adapters.versions.adapter import S3Versions

    return S3Versions(openings, clients)


def _nas(secrets: Secrets, keeper: Keeper) -> NasView:
    """Its libraries, and those of DNS, take a tenth of what a verb costs before it does anything; few houses need them."""
    from adapters.nas.adapter import TrueNas
    from adapters.nas.listing import Listing

    return TrueNas(secrets.resolve, listing=Listing(keeper, Threads(), secrets.resolve))


def _dns() -> DnsView:
    from adapters.dns.adapter import DnsQueries

    return DnsQueries()


def _registries(house: House) -> RegistriesView:
    from adapters.registries.adapter import RegistriesAdapter

    return RegistriesAdapter(dict(house.rehearsal.registries))


def _need_folder(house: House) -> None:
    """The state folder, made and writable: every run, and every look that starts a program, keeps its files there."""
    try:
        house.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=house.state_dir) as file:
            file.write(bytes(_SOME_SPACE))
    except OSError as error:
        raise SettingsInvalid(
            f"the state folder {house.state_dir} cannot be written to",
            evidence=(f"{type(error).__name__}: {error.strerror}",),
            hint="house.state in the settings names another; it must be yours, on a disk that is not full",
        ) from error


def holder_of(house: House) -> str:
    """Who we are in the house's Lease: this machine and this state folder, the same for every run of them.

    A machine is its id, hashed with the house's (machine-id(5): it is not to be shown); two may have one name.
    """
    known = hashlib.sha256(f"{house.id} {_machine()}".encode()).hexdigest()[:8]
    folder = str(Path(house.state_dir).resolve()).encode("utf-8", "backslashreplace").decode()  # a Lease holds text
    return f"{platform.node()}-{known}:{folder}"


def _machine() -> str:
    """What no other machine is called: where an image brings an empty id, or one that is yet to be made, what this boot is."""
    for place in MACHINE_IDS:
        try:
            told = place.read_text().strip()
        except OSError:
            continue
        if told not in _NO_ID:
            return told
    return str(uuid.getnode())

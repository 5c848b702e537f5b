"""Values of a house out of sections of its settings and what talconfig and the repository declare beside them. Asks nobody."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from house.model import (
    DiskFate,
    FluxSource,
    Limits,
    Node,
    NodeDisk,
    ProxmoxAccess,
    ProxmoxEndpoint,
    TalosCluster,
    TalosImage,
)
from house.repository.guarding import is_plain
from house.repository.talconfigs.talconfig import Talconfig, TalosNode
from house.repository.whole import Repository
from house.rules.crossrules import system_disk
from house.settings.hardware import hardware
from house.settings.nodes import NodeDefaultsSection, NodeSection
from house.settings.places import Places
from house.settings.sections import (
    EvidenceSection,
    ImageSection,
    KitSection,
    LimitsSection,
    MessagesSection,
    ProxmoxSection,
    Settings,
)
from house.values.afterwards import Evidence, Kit, Messages


def proxmox_of(section: ProxmoxSection, places: Places) -> ProxmoxAccess:
    """How Proxmox is reached."""
    return ProxmoxAccess(
        endpoints=tuple(
            ProxmoxEndpoint(url=e.url, fingerprint=e.fingerprint or "", ca_file=places.path(e.ca_file) if e.ca_file else "")
            for e in section.endpoints
        ),
        token_id=section.token.id,
        token_secret=places.secret(section.token.secret),
    )


def node_of(
    declared: TalosNode, section: NodeSection, defaults: NodeDefaultsSection, image: TalosImage | None = None
) -> Node:  # fmt: skip
    """A node: what talconfig declares of it, what the settings say of it, and what the nodes have in common; `image` is its own
    where it has one."""
    if section.metal:
        mac = declared.mac or section.mac or ""
        return Node(
            declared.name, declared.address, mac, declared.control_plane, declared.install_disk,
            host="", vm_id=0, cores=0, memory=0, bridge="", disks=(),
        )  # fmt: skip
    wanted = section.disks or defaults.disks or ()
    slots = [disk.slot or f"scsi{index}" for index, disk in enumerate(wanted)]
    system = system_disk(declared, slots)
    disks = []
    for index, disk in enumerate(wanted):
        fate = DiskFate(disk.fate) if disk.fate else DiskFate.CREATE if index == system else DiskFate.KEEP
        storage = disk.storage or section.storage or defaults.storage or ""
        disks.append(NodeDisk(slots[index], storage, disk.size, fate, index == system))
    return Node(
        name=declared.name,
        address=declared.address,
        mac=declared.mac or section.mac or "",
        control_plane=declared.control_plane,
        install_disk=declared.install_disk,
        host=section.host or "",
        vm_id=section.vm_id or 0,
        cores=section.cores or defaults.cores or 0,
        memory=section.memory or defaults.memory or 0,
        bridge=section.bridge or defaults.bridge or "",
        disks=tuple(disks),
        hardware=hardware(section, defaults),
        image=image,
        schematic=declared.schematic,
    )


def own_image(section: NodeSection, common: ImageSection, talconfig: Talconfig, places: Places) -> TalosImage | None:
    """The image of a node that has another one than the house, by a label of its own."""
    own = section.image
    if own is None:
        return None
    same = own.volume is None and (own.url, own.schematic) == (common.url, common.schematic)
    said = {"url": own.url, "schematic": own.schematic, "sha256": own.sha256, "volume": own.volume}
    said |= {"sha256": common.sha256} if same and own.sha256 is None else {}
    said |= {"storage": own.storage or common.storage, "version": common.version if own.schematic else None}
    image = image_of(common.model_copy(update=said), talconfig, places)
    if image == image_of(common, talconfig, places):
        return None
    if own.schematic is None:
        return replace(image, label=hashlib.sha256(image.volume.encode()).hexdigest()[:8])
    elsewhere = f"-{image.storage}" if image.storage != common.storage else ""  # steps and checks are called by it: one each
    return replace(image, label=f"{own.schematic[:8]}{elsewhere}")


def image_of(section: ImageSection, talconfig: Talconfig, places: Places) -> TalosImage:
    """The image; of the factory's the version is talconfig's where the settings name none."""
    if section.volume is not None:
        storage, _, path = section.volume.partition(":")
        return TalosImage("", "", storage, path.partition("/")[2])
    version = section.version or talconfig.talos_version
    if section.url is None:
        url = f"{section.factory}/image/{section.schematic}/{version}/nocloud-amd64.qcow2"
        filename = f"talos-{version}-{(section.schematic or '')[:8]}-nocloud-amd64.qcow2"
    else:
        url = section.url
        # The name alone (nocloud-amd64.qcow2) is the same for every version: an old file must not pass for the new one.
        filename = f"talos-{hashlib.sha256(url.encode()).hexdigest()[:8]}-{url.rsplit('/', 1)[-1]}"
    ca_file = places.path(section.ca_file) if section.ca_file else ""
    return TalosImage(url, section.sha256 or "", section.storage or "", re.sub(r"[^A-Za-z0-9_.-]", "_", filename), ca_file)


def cluster_of(talconfig: Talconfig) -> TalosCluster:
    """The cluster as talconfig has it."""
    return TalosCluster(
        name=talconfig.cluster,
        endpoint=talconfig.endpoint,
        vip=talconfig.vip,
        talos_version=talconfig.talos_version,
        kubernetes_version=talconfig.kubernetes_version,
        talconfig=talconfig.file,
        secrets_bundle=talconfig.secrets_bundle,
        plain_bundle=is_plain(talconfig.secrets_bundle),
    )


def flux_of(settings: Settings | None, repository: Repository, places: Places) -> FluxSource:
    """What Flux pulls: as the settings say it, else as the repository does."""
    git, source = settings.git if settings is not None else None, repository.source
    return FluxSource(
        namespace=source.namespace,
        name=source.name,
        url=(git.url if git is not None else None) or source.url,
        branch=(git.branch if git is not None else None) or source.branch,
        path=source.path,
        deploy_key=places.secret(git.deploy_key) if git is not None and git.deploy_key is not None else None,
    )


def evidence_of(section: EvidenceSection, places: Places) -> Evidence:
    """What signs evidence, and how often backups are proven."""
    return Evidence(Path(places.path(section.key)) if section.key else None, section.prove_every)


def kit_of(section: KitSection) -> Kit:
    """Who can open the kit, what it says first, and what goes with it."""
    return Kit(tuple(section.recipients.items()), tuple(section.notes), section.certificates)


def messages_of(section: MessagesSection, places: Places) -> Messages:
    """Who is told."""
    return Messages(tuple(map(places.secret, section.to)), tuple(section.when))


def limits_of(section: LimitsSection) -> Limits:
    """How much at once and how long, in seconds."""
    return Limits(
        parallel=section.parallel, proxmox_parallel=section.proxmox_parallel, restore_parallel=section.restore_parallel,
        boot_s=section.boot, api_s=section.api,
        release_s=section.release, flux_s=section.flux, restore_s=section.restore, look_s=section.look,
        op_reads=section.op_reads,
    )  # fmt: skip

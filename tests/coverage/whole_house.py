"""The modelled house that has everything: what is covered is armed in it, one fault after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.trials.results import Trial, Tried
from cluster.inventory import take
from house.known.inventory import inventory_path
from house.known.inventory_text import write_inventory
from house.known.lock import LockedClaim, lock_path, write_lock
from house.model import House
from house.repository.programs import DeclaredProgram
from house.values.dns import DnsName, DnsServer
from lab.modelled.sample import sample_app
from lab.troubles.component import ComponentTrouble
from lab.world.cluster.ceph import LabCeph
from lab.world.cluster.components import WORKLOADS, healthy
from lab.world.cluster.csi import CLASSES
from lab.world.cluster.csi import healthy as csi_healthy
from lab.world.cluster.longhorn import healthy as longhorn_healthy
from lab.world.cluster.rook import LabRook
from tests.scenario.faults.test_nas import a_nas_house, plugged
from tests.scenario.running import Running

KEY_OF_ANOTHER = ("apps", "sops-age"), frozenset({"age1another"})
"""An age key in the cluster that is not the house's: where, and its public half."""
GROUPS = (
    "cert-manager.io", "acme.cert-manager.io", "external-secrets.io", "actions.github.com", "monitoring.coreos.com",
    "tailscale.com", "postgresql.cnpg.io", "fluxcd.controlplane.io", "volsync.backube", "helm.toolkit.fluxcd.io",
)  # fmt: skip


SERVERS = (
    DnsServer("inside", "10.0.0.1", 53, (
        DnsName("www.house.example", ("10.0.0.60",), "dns.inside.names"),
        DnsName("nas.house.example", ("10.0.0.5",), "dns.inside.names"),
    )),
    DnsServer("outside", "192.0.2.53", 53, (
        DnsName("www.house.example", None, "dns.outside.names"),
        DnsName("nas.house.example", (), "dns.outside.names"),
    )),
)  # fmt: skip
"""UniFi inside, Cloudflare outside."""


def declared() -> tuple[DeclaredProgram, ...]:
    """A program for each release that the whole house runs, by the chart that is usual, as Git would declare it."""
    charts = {
        "onepassword-connect": "https://1password.github.io/connect-helm-charts/connect",
        "actions-runner-controller": "oci://ghcr.io/actions/actions-runner-controller-charts/gha-runner-scale-set-controller",
        "cloudflare-dns": "https://kubernetes-sigs.github.io/external-dns/external-dns",
        "unifi-dns": "https://kubernetes-sigs.github.io/external-dns/external-dns",
    }
    made = {}
    for _, namespace, _, image, release in WORKLOADS:
        chart = charts.get(release, f"oci://ghcr.io/charts/{release}")
        images = (image,) if release == "cloudflare-tunnel" else ()
        key = f"{namespace}/{release}"
        made[release] = DeclaredProgram(namespace, release, chart, images, "kubernetes/apps", "flux.reconcile", key)
    volsync = DeclaredProgram("volsync-system", "volsync", "oci://ghcr.io/charts/volsync", (), "kubernetes/apps", "flux.reconcile")
    return (*made.values(), volsync)


def whole_given() -> House:
    """What its settings and its repository say."""
    given = a_nas_house()
    apps = tuple(replace(app, decryption="sops-age") for app in given.flux_apps)
    keys = tuple(replace(given.secrets[0], namespace=space) for space in ("apps", "volsync-system"))
    dns = replace(sample_app("cloudflare-dns"), namespace="network")
    return replace(
        given, programs=(*given.programs, *declared()), flux_apps=(*apps, dns), secrets=(*given.secrets, *keys),
        namespaces=(*given.namespaces, "network"), dns=SERVERS,
    )  # fmt: skip


def whole_house(folder: Path) -> Running:
    """Bootstrapped, with all systems in order and a backup of every claim."""
    return built(Running(folder, whole_given()))


def built(house: Running) -> Running:
    """The house is there, and everything in it."""
    plugged(house)
    house.backed_up()
    assert house.apply(house.bootstrap).converged
    in_order(house)
    return house


def written_down(house: Running) -> None:
    """What a person commits: the inventory, and the lock file of the backups that there are."""
    write_inventory(inventory_path(house.house), take(house.home.look(), house.house).seen)
    rows = []
    for claim in house.house.claims:
        repository = house.home.store.repositories[claim.mover_repository]
        rows.append(LockedClaim(claim.key, repository.repository_id, 1, 100, house.clock.now()))
    write_lock(lock_path(house.house), rows)


def in_order(house: Running) -> None:
    """Every system as it should be."""
    objects = house.home.kube.objects()
    objects.components = healthy(house.clock.now(), len(house.house.nodes))
    objects.components_lost, objects.age_keys = [], {}
    objects.component_groups = set(GROUPS)
    objects.csi = csi_healthy(node.name for node in house.house.nodes)
    objects.storage_classes |= {found.name: found for found in CLASSES}
    objects.longhorn = longhorn_healthy(node.name for node in house.house.nodes)
    objects.rook = [LabRook.healthy(house.clock.now())]
    house.home.proxmox.ceph = LabCeph.on(house.home.proxmox.hosts)
    proven = (Trial(Tried.SNAPSHOT, name, house.clock.now(), 1.0) for name in objects.storage_classes)
    objects.trials |= {(trial.tried, trial.storage_class): trial for trial in proven}


def strike(house: Running, trouble: ComponentTrouble) -> None:
    """Let a system's objects be as its trouble leaves them."""
    objects, now = house.home.kube.objects(), house.clock.now()
    objects.components = [*objects.components, *trouble.puts(now - trouble.age_s)]
    objects.components_lost = [*trouble.loses(now - trouble.age_s)]
    if trouble.key:
        objects.age_keys[KEY_OF_ANOTHER[0]] = KEY_OF_ANOTHER[1]


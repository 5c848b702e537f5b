"""A secret store inside the cluster that storage waits for: no volume before a vault has answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.programs import Program
from cluster.lint.stores import Store
from house.data.releases import is_release
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject

NAME = "secrets-gate-storage"
STORAGE = frozenset({
    "longhorn", "rook-ceph", "rook-ceph-cluster", "openebs", "mayastor", "democratic-csi", "csi-driver-nfs", "csi-driver-smb",
    "proxmox-csi-plugin", "ceph-csi-rbd", "ceph-csi-cephfs", "zfs-localpv", "lvm-localpv", "localpv-provisioner", "topolvm",
    "piraeus", "linstor", "local-path-provisioner", "synology-csi", "snapshot-controller", "volsync",
})  # fmt: skip
"""Charts without which no volume comes back."""
_FLUX = "kustomize.toolkit.fluxcd.io"


def _find(given: Given) -> Iterator[Finding]:
    for store in given.stores.all:
        gates = list(_gates(given, store)) if store.cloud or given.inside.answers(store.server) else []
        if gates:
            where = gates[0][2]
            told = _told([(storage, why) for storage, why, _ in gates])
            behind = f"{store.cloud} answers it" if store.cloud else f"{store.server} answers, which runs in the cluster"
            yield Finding(
                NAME, Weight.PARADOX, store.told, f"storage waits for {store.told}: {told}", where,
                f"no volume is made, and nothing is restored, until {behind}; a vault that itself needs a volume never does",
                "let storage depend on nothing but what Git or the bootstrap brings: put the Secrets it needs in by sops or "
                "`bootstrap.secrets`, and take the store out of its dependsOn and substituteFrom",
            )  # fmt: skip


def _told(gates: list[tuple[str, str]]) -> str:
    """What waits, and for what: those that wait for the same together."""
    whys: dict[str, list[str]] = {}
    for storage, why in gates:
        whys.setdefault(why, []).append(storage)
    return "; ".join(f"{', '.join(storages)} ({why})" for why, storages in whys.items())


def _gates(given: Given, store: Store) -> Iterator[tuple[str, str, str]]:
    """Each Kustomization of a storage that waits for the store by itself: its key, why, and where that is declared. What
    depends on it comes first."""
    kustomizations = {f"{one.namespace}/{one.name}": one for one in given.objects(_FLUX, "Kustomization")}
    servers = _serving(given, store)
    homes = {store.kustomization, *(program.kustomization for program in servers)}
    storage = _storage(given) - homes
    waiting = [kustomizations[key] for key in sorted(storage) if key in kustomizations]
    ways = [(one, _way(f"{one.namespace}/{one.name}", kustomizations, homes, storage)) for one in waiting]
    for one, way in sorted(ways, key=lambda pair: not pair[1]):
        if way:
            yield f"{one.namespace}/{one.name}", f"by its dependsOn, for {way}", one.declared_in
        elif secret := _filled_from(given, one, store):
            yield f"{one.namespace}/{one.name}", f"for Secret {secret}, which fills its variables", one.declared_in
    yield from _of_releases(given, store, servers)
    yield from _of_helmfile(given, servers)


def _storage(given: Given) -> set[str]:
    """Kustomizations that bring what makes volumes: by its chart, or by classes and drivers of their own."""
    found = {program.kustomization for program in given.programs if program.chart in STORAGE and program.kustomization}
    return found | {one.kustomization for one in given.objects("storage.k8s.io", "StorageClass", "CSIDriver")}


def _of_releases(given: Given, store: Store, servers: list[Program]) -> Iterator[tuple[str, str, str]]:
    """Releases of a storage that wait for the store's own, or for values that the store makes."""
    releases = {f"{one.namespace}/{one.name}": one for one in given.rendered.objects if is_release(one)}
    keys = {program.key for program in servers}
    storage = {program.key for program in given.programs if program.chart in STORAGE and program.kustomization} - keys
    for key in sorted(storage):
        one = releases[key]
        if way := _way(key, releases, keys, storage):
            yield f"HelmRelease {key}", f"by its dependsOn, for HelmRelease {way}", one.declared_in
        for entry in map(mapping, sequence(one.spec.get("valuesFrom"))):
            name = str(entry.get("name"))
            needed = entry.get("kind") == "Secret" and entry.get("optional") is not True
            made = given.stores.makes(one.namespace, name) if needed else None
            if made is not None and made.store == store and not _brought(given, one.namespace, name):
                yield f"HelmRelease {key}", f"for Secret {name}, which holds its values", one.declared_in


def _of_helmfile(given: Given, servers: list[Program]) -> Iterator[tuple[str, str, str]]:
    """Storage that the helmfile installs after what the store asks: by `needs`, over however many others."""
    needs = {release.key: release.needs for release in given.house.releases}
    keys = {program.key for program in servers}
    for program in given.programs:
        if program.kustomization or program.chart not in STORAGE:
            continue
        if way := _first(program.key, lambda key: needs.get(key, ()), keys):
            yield f"release {program.key}", f"by its needs, for release {way}", program.declared_in


def _serving(given: Given, store: Store) -> list[Program]:
    """What the store asks inside of the cluster, by the name and namespace of its server."""
    parts = (store.server.partition("://")[2] or store.server).partition("/")[0].partition(":")[0].split(".")
    return [
        program for program in given.programs
        if len(parts) > 1 and program.namespace == parts[1] and parts[0].startswith(program.name)
    ]  # fmt: skip


def _way(key: str, known: Mapping[str, RenderedObject], wanted: set[str], storage: set[str]) -> str:
    """The first of `wanted` that it waits for, by however many others, none of which is storage of its own; "" for none."""
    return _first(key, lambda at: _depends_on(known[at]) if at in known else (), wanted, storage)


def _first(key: str, after: Callable[[str], Iterable[str]], wanted: set[str], shut: Collection[str] = ()) -> str:
    """The first of `wanted`, the nearest before others, on any way along `after` that leads through none of `shut`; "" for none."""
    seen, pending = {key}, [key]
    while pending:
        for other in after(pending.pop(0)):
            if other in wanted:
                return other
            if other not in seen and other not in shut:
                seen.add(other)
                pending.append(other)
    return ""


def _depends_on(one: RenderedObject) -> list[str]:
    entries = map(mapping, sequence(one.spec.get("dependsOn")))
    return [f"{entry.get('namespace') or one.namespace}/{entry.get('name')}" for entry in entries]


def _brought(given: Given, namespace: str, name: str) -> bool:
    """Whether something else than the store makes this Secret: the bootstrap, or Git."""
    first = any(secret.key == f"{namespace}/{name}" for secret in given.house.secrets)
    return first or any((one.namespace, one.name) == (namespace, name) for one in given.objects("", "Secret"))


def _filled_from(given: Given, one: RenderedObject, store: Store) -> str:
    """The Secret without which Flux does not even build it, if it is the store that makes it; "" for none."""
    for entry in map(mapping, sequence(mapping(one.spec.get("postBuild")).get("substituteFrom"))):
        if entry.get("kind") == "Secret" and entry.get("optional") is not True:
            made = given.stores.makes(one.namespace, str(entry.get("name")))
            if made is not None and made.store == store and not _brought(given, one.namespace, str(entry.get("name"))):
                return str(entry.get("name"))
    return ""


RULE = Rule(NAME, "Does storage wait for a secret store that runs in the cluster, or for a cloud's?", _find)

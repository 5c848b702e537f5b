"""`python -m tests.houses.mission`: the house that this project is made for, read unchanged and held against an independent count.

Prints each count beside kubectl's own, how long loading takes cold and warm, what has no backup, and where its database archives.
Exits with 1 on any difference, and with 0 and a word where the house's files are not here.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from adapters.kustomize.adapter import Kubectl
from house.data.archives import archives
from house.data.joining import declared_data
from house.declared.kinds import declared_kinds, lacking, of_flux, runs_with, usually_from
from house.flux.building import Builder
from house.repository.whole import Repository, read_repository
from tests.houses.counting import count
from tools.errors import ProgramMissing
from tools.locate import need

HOUSE = Path(__file__).resolve().parents[3] / "shared" / "real-houses" / "qnimbus-home-ops"
KINDS = (
    "Kustomization", "HelmRelease", "ReplicationSource", "ReplicationDestination", "PersistentVolumeClaim", "PersistentVolume",
    "Cluster", "ObjectStore", "ExternalSecret", "StatefulSet", "ConfigMap",
)  # fmt: skip
COLD_S, WARM_S = 5.0, 0.5


def main() -> int:
    """See the module."""
    house = Path(sys.argv[1]) if len(sys.argv) > 1 else HOUSE
    if not house.is_dir():
        print(f"skipped: {house} is not here")
        return 0
    try:
        kubectl = need("kubectl")
    except ProgramMissing as error:
        print(f"skipped: {error}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        repository, cold, warm = timed(house, Path(folder) / "kept", kubectl)
        counted = count(house, repository.source.path, Path(folder) / "work", kubectl)
    ours = Counter(one.kind for one in repository.rendered.objects)
    different = show_counts(ours, counted.kinds)
    apps = {app.key for app in repository.apps}
    for key in sorted(apps ^ counted.kustomizations):
        print(f"DIFFERENT: Kustomization {key} is {'ours alone' if key in apps else 'not seen by us'}")
        different += 1
    show_data(repository)
    show_kinds(repository)
    print(f"loaded in {cold:.2f} s cold (at most {COLD_S}), {warm:.2f} s warm (at most {WARM_S})")
    print("no difference" if not different else f"{different} differences")
    return 1 if different else 0


def timed(house: Path, kept: Path, kubectl: Path) -> tuple[Repository, float, float]:
    """The repository, read with an empty and then a full store of builds; seconds of each."""
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        repository = read_repository(house, Builder(Kubectl(lambda: kubectl), kept))
        seconds.append(time.monotonic() - began)
    return repository, seconds[0], seconds[1]


def show_counts(ours: Counter[str], theirs: Counter[str]) -> int:
    """Each kind with both counts; how many differ."""
    different = 0
    for kind in (*KINDS, *sorted((ours | theirs).keys() - set(KINDS))):
        if ours[kind] or theirs[kind]:
            same = ours[kind] == theirs[kind]
            different += not same
            print(f"{'' if same else 'DIFFERENT: '}{kind}: {ours[kind]}, kubectl kustomize {theirs[kind]}")
    print(f"in all: {ours.total()}, kubectl kustomize {theirs.total()}")
    return different


def show_data(repository: Repository) -> None:
    """What is backed up, what is not, where databases archive, and what was not followed."""
    audited = [f"{one.namespace}/{one.claim}" for one in repository.declared.backups]
    data = declared_data(repository.rendered, audited, repository.declared.databases, {})
    print(f"backed up: {', '.join(sorted(key for _, key in data.protected))}")
    for one in data.unprotected:
        holder = one.holder
        told = f"{holder.keeps.value}, {holder.size or 'size not told'}, {holder.storage or 'class not told'}"
        print(f"unprotected: {holder.key} ({told})")
    print(f"not looked into: the claims of {len(data.charts)} charts")
    for archive in archives(repository.rendered):
        print(f"archive of {archive.key}: {archive.place or archive.note}")
    for left in repository.rendered.not_followed:
        print(f"not followed: {left.subject}: {left.why}")


def show_kinds(repository: Repository) -> None:
    """The kinds that Kustomizations declare and that neither Kubernetes, Flux nor Git itself brings; who may."""
    found = declared_kinds(repository.rendered, [release.key for release in repository.releases])
    version = repository.talconfig.kubernetes_version if repository.talconfig is not None else ""
    charts = [release.chart for release in repository.releases]
    absent = [
        kind for kind in lacking((one.kind for one in found.declared), found.brought, version)
        if not of_flux(kind) and not any(runs_with(chart, kind) for chart in charts)
    ]  # fmt: skip
    print(f"kinds: {len(found.declared)}, {len(absent)} of them brought by nothing that was read here")
    for kind in absent:
        print(f"  {kind}: usually from {usually_from(kind) or 'a chart of its own'}")
    print(f"  {len(found.unseen)} charts and parts that were not rendered may bring them")


if __name__ == "__main__":
    sys.exit(main())

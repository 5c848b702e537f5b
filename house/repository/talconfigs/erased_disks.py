"""A declaration with which a rebuild erases what may be the last copy: Rook, told to take disks that belong to another Ceph."""

from __future__ import annotations

from collections.abc import Iterator

from house.data.releases import Releases, is_release
from house.files.problems import Problem
from house.files.shapes import mapping
from house.flux.rendered import Rendered, RenderedObject

_SETTING = "wipeDevicesFromOtherClusters"


def erased_disks(rendered: Rendered) -> Iterator[Problem]:
    """A note for each CephCluster, or chart's values of one, that has its operator erase the disks of another Ceph.

    After a rebuild that is what the old OSDs are: the new cluster has another fsid, and nobody is asked.
    """
    releases = Releases(rendered)
    for one in rendered.objects:
        if _erases(one, releases):
            what = f"{one.kind} {one.namespace}/{one.name} has Rook erase disks of another Ceph: after a rebuild, the old data"
            yield Problem(one.file, one.line, "", what, f"take cleanupPolicy.{_SETTING} out before anything is rebuilt")


def _erases(one: RenderedObject, releases: Releases) -> bool:
    if one.kind == "CephCluster" and one.group == "ceph.rook.io":
        spec = one.spec
    elif is_release(one):
        spec = mapping(releases.values(one).values.get("cephClusterSpec"))
    else:
        return False
    return mapping(spec.get("cleanupPolicy")).get(_SETTING) is True

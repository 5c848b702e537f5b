"""Which programs Git and the helmfile put into the cluster: each helm release and each workload, with its chart and its images.

Renders no chart: of a release only what its values name is known of its images. Knows no port and no program by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from house.data.releases import Releases, is_release
from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered, RenderedObject

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_DEEPEST = 12


@dataclass(frozen=True)
class DeclaredProgram:
    """A helm release, or a workload of plain manifests: where it runs and what it is made of.

    `chart` is the chart's address as far as Git shows it (`oci://ghcr.io/x/charts/cilium`), "" for plain manifests; `images` are
    repositories without tags. `step` is the id of the step that brings it, `release` what Flux's object of it is called
    (`namespace/name`), "" where it has none; `suspended`: Git says that Flux lets it be.
    """

    namespace: str
    name: str
    chart: str
    images: tuple[str, ...] = ()
    declared_in: str = ""
    step: str = ""
    release: str = ""
    suspended: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`, as helm has it."""
        return f"{self.namespace}/{self.name}"


def declared_programs(rendered: Rendered, installed: Iterable[tuple[str, str, str]]) -> tuple[DeclaredProgram, ...]:
    """All of them; `installed` are namespace, name and chart of the helmfile's releases. One that both declare is told once."""
    found = {f"{space}/{name}": DeclaredProgram(space, name, chart, step=f"helm.sync-release/{space}/{name}")
             for space, name, chart in installed}  # fmt: skip
    releases = Releases(rendered)
    for one in rendered.objects:
        if is_release(one):
            made = _release(one, releases)
            before = found.get(made.key)
            found[made.key] = made if before is None else DeclaredProgram(
                made.namespace, made.name, before.chart, made.images, made.declared_in, before.step, made.release, made.suspended
            )  # fmt: skip
        elif one.kind in _WORKLOADS and one.group == "apps":
            images = tuple(dict.fromkeys(images_in(mapping(mapping(one.spec.get("template")).get("spec")))))
            key = f"{one.namespace}/{one.name}"
            found.setdefault(key, DeclaredProgram(one.namespace, one.name, "", images, one.declared_in, "flux.reconcile"))
    return tuple(found.values())


def _release(one: RenderedObject, releases: Releases) -> DeclaredProgram:
    target = str(one.spec.get("targetNamespace") or "")
    named = str(one.spec.get("releaseName") or "") or (f"{target}-{one.name}" if target else one.name)
    images = tuple(dict.fromkeys(images_in(releases.values(one).values)))
    return DeclaredProgram(
        target or one.namespace, named, releases.address(one), images, one.declared_in, "flux.reconcile",
        f"{one.namespace}/{one.name}", one.spec.get("suspend") is True,
    )  # fmt: skip


def images_in(node: Any, depth: int = 0) -> Iterator[str]:
    """Every image that is named: `image: REPOSITORY:TAG`, and `repository` below `image`."""
    if depth > _DEEPEST:
        return
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "image" and isinstance(value, str) and value:
                yield _bare(value)
            elif key == "image" and isinstance(value, Mapping) and isinstance(value.get("repository"), str):
                registry = str(value.get("registry") or "").rstrip("/")
                yield _bare(f"{registry}/{value['repository']}" if registry else value["repository"])
            else:
                yield from images_in(value, depth + 1)
    else:
        for value in sequence(node):
            yield from images_in(value, depth + 1)


def _bare(image: str) -> str:
    """Without tag and digest."""
    bare = image.partition("@")[0]
    path, colon, tag = bare.rpartition(":")
    return path if colon and "/" not in tag else bare

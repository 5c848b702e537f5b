"""Containers that a house runs, as far as Git shows them: of workloads, and of the app-template's values. Renders no chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster.lint.given import Given, texts_of
from cluster.lint.inside import sections
from cluster.lint.programs import Program
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")


@dataclass(frozen=True)
class Container:
    """One container or image: `owner` is what has it, `image` as a kubelet would read it."""

    owner: str
    namespace: str
    name: str
    image: str
    words: tuple[str, ...]
    declared_in: str
    values: bool = False


def containers(given: Given) -> Iterator[Container]:
    """Every container of a workload, and every image that values name."""
    for one in given.rendered.objects:
        if one.kind in WORKLOADS:
            for item in _of_pod(one):
                words = tuple(texts_of([item.get("command"), item.get("args"), item.get("env")]))
                owner = f"{one.kind} {one.namespace}/{one.name}"
                yield Container(owner, one.namespace, one.name, str(item.get("image") or ""), words, one.declared_in)
        elif one.group == "postgresql.cnpg.io" and one.kind == "Cluster" and one.spec.get("imageName"):
            owner = f"Cluster {one.namespace}/{one.name}"
            yield Container(owner, one.namespace, one.name, str(one.spec["imageName"]), (), one.declared_in)
    for program in given.programs:
        yield from _of_values(program)


def pod_of(one: RenderedObject) -> dict[str, Any]:
    """The Pod's spec in a workload."""
    if one.kind == "Pod":
        return one.spec
    spec = mapping(mapping(one.spec.get("jobTemplate")).get("spec")) if one.kind == "CronJob" else one.spec
    return mapping(mapping(spec.get("template")).get("spec"))


def _of_pod(one: RenderedObject) -> Iterator[dict[str, Any]]:
    pod = pod_of(one)
    for key in ("initContainers", "containers"):
        yield from map(mapping, sequence(pod.get(key)))


def _of_values(program: Program) -> Iterator[Container]:
    """`image` in the forms that charts have it in: a text, or repository with registry, tag and digest."""
    for _, section in sections(program.values):
        image = _image(section.get("image"))
        if image:
            words = tuple(texts_of([section.get("command"), section.get("args"), section.get("env")]))
            yield Container(program.told, program.namespace, program.name, image, words, program.declared_in, values=True)


def _image(value: Any) -> str:
    if isinstance(value, str):
        return value if "/" in value or ":" in value else ""
    told = mapping(value)
    repository = str(told.get("repository") or "")
    if not repository:
        return ""
    registry = str(told.get("registry") or "")
    name = f"{registry}/{repository}" if registry else repository
    tag, digest = str(told.get("tag") or ""), str(told.get("digest") or told.get("sha") or "")
    name = f"{name}:{tag}" if tag else name
    return f"{name}@{digest if ':' in digest else f'sha256:{digest}'}" if digest else name

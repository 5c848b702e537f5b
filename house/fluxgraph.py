"""Walks the graph of Flux Kustomizations from the entry path and gives each its objects and variables. Knows no backup.

Parents hand things down by patching their children (`substituteFrom` of cluster settings, say): those patches are followed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from house import yamlfile
from house.kustomize import Found, Tree, mapping, sequence
from house.model import FluxApp
from house.substitution import Substituted, substitute
from house.yamlfile import YamlInvalid

FLUX_GROUP = "kustomize.toolkit.fluxcd.io"
_TERM = re.compile(r"\s*(!?)\s*([\w./-]+)\s*(?:(notin|in)\s*\(([^)]*)\)|(==|=|!=)\s*([\w.-]*))?\s*(?:,|$)")


@dataclass(frozen=True)
class Applied:
    """One Flux Kustomization with the objects it applies, and the variables of its post-build substitution."""

    app: FluxApp
    declared: Found
    objects: tuple[Found, ...] = field(repr=False)
    variables: Mapping[str, str]
    unknown_sources: tuple[str, ...]

    def namespace_of(self, found: Found) -> str:
        """Where an object of this Kustomization ends up."""
        return self.text(self.app.target_namespace or found.namespace or self.app.namespace).text

    def text(self, value: Any) -> Substituted:
        """A scalar of an object after substitution, as text ("" for none)."""
        return substitute("" if value is None else str(value), self.variables)


@dataclass(frozen=True)
class _Inherited:
    """A patch that a parent lays over its children's spec, and which of them it means."""

    selector: str
    spec: dict[str, Any]


def walk(tree: Tree, entry: str) -> list[Applied]:
    """Every Flux Kustomization reached from the entry path, parents first; notes go to the tree."""
    applied: list[Applied] = []
    seen: set[str] = set()
    maps: dict[tuple[str, str], Mapping[str, str]] = {}
    folder = (tree.root / entry).resolve()
    if not folder.is_dir():
        tree.note(entry, 0, "is not there", "this is the path that Flux is told to apply")
        return applied
    queue = deque(_children(tree.objects(folder), maps, ()))
    while queue:
        found, patches = queue.popleft()
        key = f"{found.namespace}/{found.name}"
        if key in seen:
            continue
        seen.add(key)
        one = _apply(tree, found, patches, maps)
        applied.append(one)
        queue.extend(_children(one.objects, maps, _handed_down(tree, found)))
    return applied


def _children(
    objects: tuple[Found, ...] | list[Found], maps: dict[tuple[str, str], Mapping[str, str]], patches: tuple[_Inherited, ...]
) -> list[tuple[Found, tuple[_Inherited, ...]]]:
    for found in objects:
        if found.kind == "ConfigMap" and not found.group:
            data = {str(k): str(v) for k, v in mapping(found.body.get("data")).items()}
            maps.setdefault((found.namespace, found.name), data)
            maps.setdefault(("", found.name), data)
    return [(f, patches) for f in objects if f.kind == "Kustomization" and f.group == FLUX_GROUP]


def _apply(
    tree: Tree, found: Found, patches: tuple[_Inherited, ...], maps: Mapping[tuple[str, str], Mapping[str, str]]
) -> Applied:
    spec = dict(found.spec)
    for patch in patches:
        if _selected(patch.selector, mapping(mapping(found.body.get("metadata")).get("labels"))):
            spec = _merged(spec, patch.spec)
    app = _app(found, spec)
    path = (tree.root / app.path).resolve()
    objects: list[Found] = []
    if not path.is_dir():
        tree.note(found.file, found.line, f"path {app.path} of {app.key} is not there", "correct spec.path")
    elif not path.is_relative_to(tree.root):
        tree.note(found.file, found.line, f"path {app.path} of {app.key} leaves the repository", "correct spec.path")
    else:
        objects = tree.objects(path, tuple(str(c) for c in sequence(spec.get("components"))))
    build = mapping(spec.get("postBuild"))
    variables: dict[str, str] = {}
    unknown: list[str] = []
    for source in sequence(build.get("substituteFrom")):
        kind, name = str(mapping(source).get("kind")), str(mapping(source).get("name"))
        known = maps.get((found.namespace, name)) or maps.get(("", name)) if kind == "ConfigMap" else None
        if known is None:
            unknown.append(f"{kind}/{name}")
        variables.update(known or {})
    variables.update({str(k): "" if v is None else str(v) for k, v in mapping(build.get("substitute")).items()})
    return Applied(app, found, tuple(objects), variables, tuple(unknown))


def _app(found: Found, spec: Mapping[str, Any]) -> FluxApp:
    depends = []
    for other in sequence(spec.get("dependsOn")):
        body = mapping(other)
        depends.append(f"{body.get('namespace') or found.namespace}/{body.get('name', '')}")
    return FluxApp(
        namespace=found.namespace,
        name=found.name,
        target_namespace=str(spec.get("targetNamespace") or ""),
        path=str(spec.get("path") or "."),
        depends_on=tuple(depends),
        wait=spec.get("wait") is True,
        suspended=spec.get("suspend") is True,
    )


def _handed_down(tree: Tree, found: Found) -> tuple[_Inherited, ...]:
    handed = []
    for entry in sequence(found.spec.get("patches")):
        patch, target = mapping(entry).get("patch"), mapping(mapping(entry).get("target"))
        if not isinstance(patch, str):
            continue
        try:
            body = mapping(yamlfile.value(patch, f"{found.place} patch"))
        except YamlInvalid as error:
            tree.notes.append(error.problem)
            continue
        if target.get("kind", body.get("kind")) == "Kustomization" and body.get("spec") is not None:
            handed.append(_Inherited(str(target.get("labelSelector") or ""), mapping(body.get("spec"))))
    return tuple(handed)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """A strategic merge of custom resources: mappings merge, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _selected(selector: str, labels: Mapping[str, Any]) -> bool:
    """Whether labels fit a label selector (`a=b, c!=d, e in (x), f notin (y), g, !h`); an empty one fits all."""
    at = 0
    while at < len(selector) and (term := _TERM.match(selector, at)):
        absent, key, word, values, sign, value = term.groups()
        at = term.end()
        has = str(labels[key]) if key in labels else None
        if word:
            listed = has in [v.strip() for v in values.split(",")]
            fits = listed if word == "in" else not listed
        elif sign:
            fits = (has != value) if sign == "!=" else (has == value)
        else:
            fits = (has is None) if absent else (has is not None)
        if not fits:
            return False
    return True

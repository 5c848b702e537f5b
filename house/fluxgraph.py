"""Walks the graph of Flux Kustomizations from the entry path and gives each its objects and variables. Knows no backup.

Parents hand things down by patching their children (`substituteFrom` of cluster settings, say): those patches are followed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
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

    target: Mapping[str, Any]
    spec: dict[str, Any]

    def means(self, found: Found) -> bool:
        """Whether this Kustomization is one that the patch is laid over."""
        metadata = mapping(found.body.get("metadata"))
        names = {"name": found.name, "namespace": found.namespace}
        return (
            all(_fits(str(self.target[key]), name) for key, name in names.items() if key in self.target)
            and _selected(str(self.target.get("labelSelector") or ""), mapping(metadata.get("labels")))
            and _selected(str(self.target.get("annotationSelector") or ""), mapping(metadata.get("annotations")))
        )


def walk(tree: Tree, entry: str, source: str = "flux-system") -> list[Applied]:
    """Every Flux Kustomization reached from the entry path, parents first; notes go to the tree.

    `source` is the name of what Flux pulls this repository as: what names another source is not followed.
    """
    applied: list[Applied] = []
    seen: dict[str, Found] = {}
    maps: dict[tuple[str, str], Mapping[str, str]] = {}
    folder = (tree.root / entry).resolve()
    if not folder.is_dir():
        tree.hides(entry, 0, "is not there", "this is the path that Flux is told to apply")
        return applied
    queue = deque(_children(tree, tree.objects(folder), maps, ()))
    while queue:
        found, patches = queue.popleft()
        key = f"{found.namespace}/{found.name}"
        if key in seen:
            if seen[key].place != found.place:
                what = f"Kustomization {key} is also at {seen[key].place}, and only that one is followed"
                tree.note(found.file, found.line, what, "give each a name of its own")
            continue
        seen[key] = found
        one = _apply(tree, found, patches, maps, source)
        applied.append(one)
        queue.extend(_children(tree, one.objects, maps, _handed_down(tree, found)))
    return applied


def _children(
    tree: Tree, objects: Sequence[Found], maps: dict[tuple[str, str], Mapping[str, str]], patches: tuple[_Inherited, ...]
) -> list[tuple[Found, tuple[_Inherited, ...]]]:
    for found in objects:
        if found.kind == "ResourceSet" and found.group == "fluxcd.controlplane.io":
            what = f"ResourceSet {found.name} makes its objects in the cluster, and is not followed"
            tree.note(found.file, found.line, what, "backups declared there are not seen")
        if found.kind == "ConfigMap" and not found.group:
            data = {str(k): str(v) for k, v in mapping(found.body.get("data")).items()}
            maps.setdefault((found.namespace, found.name), data)
            maps.setdefault(("", found.name), data)
    return [(f, patches) for f in objects if f.kind == "Kustomization" and f.group == FLUX_GROUP]


def _apply(
    tree: Tree,
    found: Found,
    patches: tuple[_Inherited, ...],
    maps: Mapping[tuple[str, str], Mapping[str, str]],
    source: str,
) -> Applied:
    spec = dict(found.spec)
    for patch in patches:
        if patch.means(found):
            spec = _merged(spec, patch.spec)
    app = _app(found, spec)
    path = (tree.root / app.path).resolve()
    objects: list[Found] = []
    elsewhere = mapping(spec.get("sourceRef"))
    kind, name = str(elsewhere.get("kind") or "GitRepository"), str(elsewhere.get("name") or source)
    # Several GitRepositories of one repository are usual; another kind, or a path that is not here, is another source.
    if name != source and (kind != "GitRepository" or not path.is_dir()):
        what = f"{app.key} is pulled from {kind} {name}, not from this repository, and is not followed"
        tree.note(found.file, found.line, what, "backups declared there are not seen")
    elif not path.is_dir():
        tree.note(found.file, found.line, f"path {app.path} of {app.key} is not there", "correct spec.path")
    elif not path.is_relative_to(tree.root):
        tree.note(found.file, found.line, f"path {app.path} of {app.key} leaves the repository", "correct spec.path")
    else:
        objects = tree.objects(path, tuple(str(c) for c in sequence(spec.get("components"))), found.file, found.line)
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
        path=f".{path}" if (path := str(spec.get("path") or ".")).startswith("/") else path,
        depends_on=tuple(depends),
        wait=spec.get("wait") is True,
        suspended=spec.get("suspend") is True,
        decryption=str(mapping(mapping(spec.get("decryption")).get("secretRef")).get("name") or ""),
    )


def _handed_down(tree: Tree, found: Found) -> tuple[_Inherited, ...]:
    handed = []
    for entry in sequence(found.spec.get("patches")):
        patch, target = mapping(entry).get("patch"), mapping(mapping(entry).get("target"))
        if not isinstance(patch, str):
            continue
        try:
            value = yamlfile.value(patch, f"{found.place} patch")
        except YamlInvalid as error:
            tree.notes.append(error.problem)
            continue
        body = mapping(value)
        if target.get("kind", body.get("kind", "Kustomization")) != "Kustomization":
            continue
        if isinstance(value, list):
            what = f"a JSON patch that {found.name} lays over Kustomizations is not followed"
            better = "write it as a merge, or look whether it changes paths or variables of backups"
            tree.note(found.file, found.line, what, better)
        elif body.get("spec") is not None:
            metadata = mapping(body.get("metadata"))
            named = {key: re.escape(str(metadata[key])) for key in ("name", "namespace") if metadata.get(key)}
            handed.append(_Inherited(target or named, mapping(body.get("spec"))))
    return tuple(handed)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """A strategic merge of custom resources: mappings merge, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _fits(pattern: str, name: str) -> bool:
    """Whether a name fits a target's, which kustomize takes for an expression; one that is none fits itself alone."""
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return pattern == name


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

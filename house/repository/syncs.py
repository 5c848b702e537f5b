"""Finds every place where a repository says what Flux pulls: values of a flux-instance release, a FluxInstance, `flux bootstrap`'s.

What lies in hidden folders or in an archive is not in use. Decides between none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from house.files.paths import is_file, is_folder
from house.files.problems import Steps, shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document
from house.repository.helmfiles.helmfile import helmfile_of
from house.repository.source import DEFAULT_PATH, DeclaredSource, Sources, one_of, pinned_to
from house.repository.tree import Tree, real

_INSTANCE = re.compile(r"\bsync:")
_IN = re.compile(r"\binstance:|\bFluxInstance\b")
_SOURCE = re.compile(r"^kind:[ \t]*[\"']?GitRepository\b", re.MULTILINE)
_OF_FLUX = re.compile(r"^apiVersion:[ \t]*[\"']?(?:kustomize|source)\.toolkit\.fluxcd\.io/", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{[^}/]*\}|@[\w.-]+@|\{\{[^/]*?\}\}|<[\w. -]+>")
"""What stands for a word: Flux's, and those of the templates by which people make their files."""
_EXPRESSION = re.compile(r"\$\{(\w+)([^}]*)\}")
_MOST_BASES = 2
"""How many folders deep an artifact's root is looked for."""


def read_flux_source(tree: Tree, entry: str = "") -> Sources:
    """What Flux pulls; `entry` is the path that a person says, "" for none. A path that is not there counts only alone."""
    found = [replace(one, path=path, base=base) for one in _declared(tree) for path, base in _places(tree, one)]
    if not found:
        usual = not entry and is_folder(tree.root / DEFAULT_PATH)
        found = [DeclaredSource(path=DEFAULT_PATH)] if usual else list(_self_applied(tree))
    there = [one for one in found if is_folder(tree.root / one.base / one.path)]
    return one_of(there or found, entry)


def _declared(tree: Tree) -> Iterator[DeclaredSource]:
    """The surest first: what a bootstrap installs, an instance as it is applied, values, a source of its own."""
    yield from _of_helmfile(tree)
    instances, releases, values, classic = (list[DeclaredSource]() for _ in range(4))
    for file, text in _texts(tree):
        for document in tree.documents(file):
            body = mapping(document.value)
            if body.get("kind") == "FluxInstance":
                instances += _synced(document, ("spec", "sync"), body)
            elif body.get("kind") == "HelmRelease":
                releases += _synced(document, ("spec", "values", "instance", "sync"), body)
            elif "kind" not in body:
                values += _synced(document, ("instance", "sync"), {})
        if _SOURCE.search(text):
            classic += _classic(tree, file)
    yield from (*instances, *releases, *values, *classic)


def _texts(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Files that may say it: reading the text is far cheaper than parsing it."""
    for file in tree.manifests():
        text = tree.text(file)
        if (_INSTANCE.search(text) and _IN.search(text)) or _SOURCE.search(text):
            yield file, text


def _of_helmfile(tree: Tree) -> Iterator[DeclaredSource]:
    helmfile = helmfile_of(tree.root)
    for document in tree.documents(helmfile) if is_file(helmfile) else ():
        for release in map(mapping, sequence(mapping(document.value).get("releases"))):
            if str(release.get("chart")).endswith("flux-instance"):
                for entry in sequence(release.get("values")):
                    yield from _of_values(tree, helmfile, entry, {"metadata": {"namespace": release.get("namespace")}})


def _of_values(tree: Tree, helmfile: Path, entry: Any, release: dict[str, Any]) -> Iterator[DeclaredSource]:
    if isinstance(entry, dict):
        sync = mapping(mapping(entry.get("instance")).get("sync"))
        if sync:
            yield _told(sync, shown(helmfile, tree.root), release)
        return
    file = real(helmfile.parent / str(entry))
    if file is not None and file.suffix in (".yaml", ".yml") and is_file(file):
        for document in tree.documents(file):
            yield from _synced(document, ("instance", "sync"), release)


def _synced(document: Document, where: Steps, body: dict[str, Any]) -> list[DeclaredSource]:
    """The `sync` at a place of a document; `body` is the object that it is of."""
    sync: Any = document.value
    for step in where:
        sync = mapping(sync).get(str(step))
    return [_told(mapping(sync), f"{document.name}:{document.line(where)}", body)] if mapping(sync) else []


def _told(sync: dict[str, Any], place: str, body: dict[str, Any]) -> DeclaredSource:
    """Source: flux-operator calls what it makes like the instance's namespace, unless `sync.name` says otherwise."""
    namespace = str(mapping(body.get("metadata")).get("namespace") or "")
    branch = str(sync.get("ref") or "").removeprefix("refs/heads/")
    return DeclaredSource(
        namespace=namespace or "flux-system",
        name=str(sync.get("name") or namespace or "flux-system"),
        url=str(sync.get("url") or ""),
        branch="" if branch.startswith("refs/") else branch,
        path=_path(sync.get("path")),
        declared_in=place,
        kind=str(sync.get("kind") or "GitRepository"),
        pinned=branch if branch.startswith("refs/") else "",
        named=bool(namespace),
    )


def _path(value: Any) -> str:
    """As it is seen from the root, "." for the root itself; "" where nothing is said."""
    parts = [part for part in PurePosixPath(str(value or "")).parts if part not in ("/", ".")]
    return "/".join(parts) or "." if value else ""


def _classic(tree: Tree, file: Path) -> Iterator[DeclaredSource]:
    """What `flux bootstrap` writes: a GitRepository, and beside it the Kustomization that applies the file itself.

    By other names than flux-system only then: most GitRepositories are of somebody else, with a Kustomization of theirs.
    """
    documents = [(document, mapping(document.value)) for document in tree.documents(file)]
    for document, body in documents:
        if body.get("kind") != "GitRepository":
            continue
        metadata, spec = mapping(body.get("metadata")), mapping(body.get("spec"))
        name = str(metadata.get("name") or "")
        applied = next((other for _, other in documents if _applies(other, name)), {})
        path = _path(mapping(applied.get("spec")).get("path"))
        if name != "flux-system" and not (path and file.is_relative_to(tree.root / path) and _is_here(tree, name, path, file)):
            continue
        ref = mapping(spec.get("ref"))
        yield DeclaredSource(
            namespace=str(metadata.get("namespace") or "flux-system"),
            name=name,
            url=str(spec.get("url") or ""),
            branch=str(ref.get("branch") or "") or _headed(ref),
            pinned="" if _headed(ref) else pinned_to(ref),
            declared_in=f"{document.name}:{document.spot.line}",
            path=path or DEFAULT_PATH,
            named=True,
            applies=str(mapping(applied.get("metadata")).get("name") or ""),
        )


def _self_applied(tree: Tree) -> Iterator[DeclaredSource]:
    """Kustomizations that apply the file in which they stand, wherever their source is declared: nobody but a person can have
    applied the first of them, so that its path is what Flux was told. Asked for where nothing else says it."""
    files = {file: tree.documents(file) for file in tree.manifests() if _OF_FLUX.search(tree.text(file))}
    every = [mapping(document.value) for documents in files.values() for document in documents]
    sources = {str(mapping(one.get("metadata")).get("name")): one for one in every if one.get("kind") == "GitRepository"}
    for file, documents in files.items():
        for document in documents:
            body = mapping(document.value)
            metadata, spec = mapping(body.get("metadata")), mapping(body.get("spec"))
            reference, path = mapping(spec.get("sourceRef")), _path(spec.get("path"))
            name = str(reference.get("name") or "")
            inside = bool(path) and _applies(body, name) and file.is_relative_to(tree.root / path)
            inside = inside and _is_here(tree, name, path, file)
            if inside and reference.get("kind", "GitRepository") == "GitRepository":
                space = str(metadata.get("namespace") or "flux-system")
                yield DeclaredSource(
                    namespace=str(reference.get("namespace") or space),
                    name=name,
                    url=str(mapping(mapping(sources.get(name)).get("spec")).get("url") or ""),
                    branch=str(mapping(mapping(mapping(sources.get(name)).get("spec")).get("ref")).get("branch") or ""),
                    path=path,
                    declared_in=f"{document.name}:{document.spot.line}",
                    named=True,
                    applies=str(metadata.get("name") or ""),
                )


def _is_here(tree: Tree, source: str, path: str, file: Path) -> bool:
    """Whether a source may be this repository: every file lies within the path of a Kustomization that applies another's root, so
    that there another file's has to pull a folder from it that is here."""
    if path != ".":
        return True
    bodies = (mapping(one.value) for other in tree.manifests() if other != file and _OF_FLUX.search(tree.text(other))
              for one in tree.documents(other))  # fmt: skip
    for body in bodies:
        spec = mapping(body.get("spec"))
        named, folder = mapping(spec.get("sourceRef")).get("name"), _path(spec.get("path"))
        if body.get("kind") == "Kustomization" and named == source and folder not in ("", ".") and is_folder(tree.root / folder):
            return True
    return False


def _applies(body: dict[str, Any], source: str) -> bool:
    reference = mapping(mapping(body.get("spec")).get("sourceRef"))
    own = "kustomize.toolkit.fluxcd.io" in str(body.get("apiVersion")) and body.get("kind") == "Kustomization"
    return own and reference.get("name", source) == source


def _headed(ref: dict[str, Any]) -> str:
    """The branch that a ref names in full, where nothing goes before its name; "" for none."""
    name = str(ref.get("name") or "")
    return name.removeprefix("refs/heads/") if name.startswith("refs/heads/") and not ref.get("commit") else ""


def _places(tree: Tree, one: DeclaredSource) -> Iterator[tuple[str, str]]:
    """Path and base, as they are there: a variable in the path stands for what Git gives it anywhere, else for each folder in its
    place that Flux could apply; and an artifact's root may be a folder."""
    root = tree.root
    variable = _VARIABLE.search(one.path)
    if variable:
        found = [path for path in _filled(tree, one.path) if is_folder(root / path)]
        if not found and "/" in one.path and variable.start():
            found = sorted(shown(each, root) for each in root.glob(_VARIABLE.sub("*", one.path)) if is_folder(each))
        yield from ((path, "") for path in found) if found else [(one.path, "")]
    elif one.kind != "GitRepository" and one.path and not is_folder(root / one.path):
        yield one.path, _base(root, one.path)
    else:
        yield one.path, ""


def _filled(tree: Tree, path: str) -> list[str]:
    """A path for each value that a ConfigMap or a Kustomization of the repository gives the one variable in it, in order."""
    names = {name for name, _ in _EXPRESSION.findall(path)}
    if len(names) != 1:
        return []
    (name,) = names
    said = re.compile(rf"\b{name}\b[\"']?:")
    values: dict[str, None] = {}
    for file in tree.manifests():
        for document in tree.documents(file) if said.search(tree.text(file)) else ():
            body = mapping(document.value)
            given = mapping(mapping(mapping(body.get("spec")).get("postBuild")).get("substitute"))
            data = mapping(body.get("data")) if body.get("kind") == "ConfigMap" else {}
            values.update({str(each[name]): None for each in (given, data) if each.get(name)})
    parts = _EXPRESSION.split(path)[::3]  # what stands around the expressions
    return [_path(value.join(parts)) for value in values if "${" not in value]


def _base(root: Path, path: str) -> str:
    """The only folder of the least depth below which a path is there, "" for none or several."""
    for depth in range(1, _MOST_BASES + 1):
        bases = [each for each in root.glob("*/" * depth + path) if is_folder(each)]
        if bases:
            return shown(bases[0], root).removesuffix(f"/{path}") if len(bases) == 1 else ""
    return ""

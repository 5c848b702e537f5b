"""From the YAML that kustomize prints to the objects that Flux applies: substituted, in their namespace, with their place.

Follows kustomize-controller: each object's YAML is substituted as text and read again, so that `${PORT}` becomes a number;
without any variable nothing is substituted; an object labelled or annotated `substitute: disabled` stays as it is; common
metadata come last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from house.files import yamlfile
from house.files.plain import older_scalar
from house.files.problems import Problem
from house.files.shapes import mapping
from house.files.yamlfile import YamlInvalid
from house.flux.rendered import RenderedObject
from house.flux.substitution import VARIABLE, Substituted, substitute

_ORIGIN = "config.kubernetes.io/origin"
_DISABLED = "kustomize.toolkit.fluxcd.io/substitute"
_EXPRESSION = re.compile(r"\$\{[^\s}'\"]{0,40}\}?")
_BEGINS = re.compile(r"^(?!\s*(#|$|---|%))", re.MULTILINE)
_NAME = re.compile(r"^metadata:\n(?:  .*\n)*?  name: (.*)$", re.MULTILINE)
_NO_NAMESPACE = {
    "": ("Namespace", "Node", "PersistentVolume"),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "storage.k8s.io": ("StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "VolumeAttributesClass"),
    "snapshot.storage.k8s.io": ("VolumeSnapshotClass", "VolumeSnapshotContent"),
    "scheduling.k8s.io": ("PriorityClass",),
    "networking.k8s.io": ("IngressClass",),
    "gateway.networking.k8s.io": ("GatewayClass",),
    "node.k8s.io": ("RuntimeClass",),
}
_ALL_WITHOUT = ("admissionregistration.k8s.io",)


@dataclass(frozen=True)
class Applying:
    """What a Flux Kustomization does to what was built: whose objects they are, and which variables it knows.

    `substitutes` is True when it substitutes at all: with a variable, or with a source of variables that Git does not show.
    """

    kustomization: str
    namespace: str
    folder: str
    variables: Mapping[str, str] = field(repr=False)
    substitutes: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Read:
    """The objects in the order of the build, and what of them is YAML no more once it is substituted. None at all where Flux
    refuses to substitute one: it applies nothing then. `notes` are about what it fills with nothing."""

    objects: tuple[RenderedObject, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


class _Refused(Exception):
    """Flux refuses to substitute an object, and with it everything that the Kustomization applies."""

    def __init__(self, what: str, better: str) -> None:
        super().__init__(what)
        self.what, self.better = what, better


def read_objects(text: str, applying: Applying, files: Mapping[str, bytes]) -> Read:
    """The objects of a build's text; `files` are those that it read, by their path from the repository's root."""
    objects: list[RenderedObject] = []
    problems: list[Problem] = []
    refused: list[Problem] = []
    notes: list[Problem] = []
    places = _Places(applying.folder, files)
    for part in re.split(r"^---\n", text, flags=re.MULTILINE):
        if part.strip():
            try:
                objects.append(_object(part, applying, places, notes))
            except _Refused as error:
                place = places.of(_as_built(part), part)
                told = f"{_named(part)} {error.what}: Flux refuses the whole Kustomization {applying.kustomization}"
                refused.append(Problem(place[0], place[1], "", told, error.better))
            except YamlInvalid as error:
                what = f"is no YAML any more once its variables are filled in ({error.problem.what})"
                place = places.of(_as_built(part), part)
                problems.append(Problem(place[0], place[1], "", what, "quote the variable, or correct its value"))
    return Read((), tuple(refused)) if refused else Read(tuple(objects), tuple(problems), tuple(notes))


def _as_built(part: str) -> Mapping[str, Any]:
    """An object before its variables are filled in; nothing where even that is no YAML that is read here."""
    try:
        return mapping(yamlfile.value(part))
    except YamlInvalid:
        return {}


def _named(part: str) -> str:
    body = _as_built(part)
    return f"{body.get('kind')} {mapping(body.get('metadata')).get('name')}"


def _filled(part: str, applying: Applying) -> Substituted:
    """An object's text with its variables filled in. Raises _Refused."""
    if not applying.substitutes or (_DISABLED in part and _disabled(mapping(yamlfile.value(part)))):
        return Substituted(part)
    wrong = next((name for name in applying.variables if VARIABLE.fullmatch(name) is None), None)
    if wrong is not None:
        better = "a name is made of letters, digits and _, and begins with no digit"
        raise _Refused(f"cannot be filled in, for the Kustomization takes a variable called {wrong}", better)
    done = substitute(part, applying.variables)
    if done.refused:
        better = f"write $${{…}} for what is no variable, or annotate it with {_DISABLED}: disabled"
        raise _Refused(f"has {_shown(part, done.refused[0])}, which is no substitution", better)
    return done


def _shown(part: str, expression: str) -> str:
    """An expression as it may be shown: of a Secret nothing but that there is one."""
    secret = _as_built(part).get("kind") == "Secret"
    return "${…" if secret else (_EXPRESSION.match(expression) or [expression[:2]])[0]


def _object(part: str, applying: Applying, places: _Places, notes: list[Problem]) -> RenderedObject:
    done = _filled(part, applying)
    # What was filled in is read anew, as YAML 1.1; a build alone has put texts that are words of that in quotes.
    body = mapping(yamlfile.value(done.text, plain=older_scalar))
    file, line = places.of(body, part)
    if done.bad:
        what = f"{_named(part)} has {_shown(part, done.bad[0])}, which Flux fills with nothing: no variable can be called that"
        notes.append(Problem(file, line, "", what, "write $${…} for what is no variable"))
    metadata = dict(mapping(body.get("metadata")))
    for key, common in (("annotations", applying.annotations), ("labels", applying.labels)):
        own = {k: v for k, v in mapping(metadata.get(key)).items() if k != _ORIGIN} | dict(common)
        metadata.pop(key, None)
        if own:
            metadata[key] = own
    body = body | {"metadata": metadata}
    api, kind = str(body.get("apiVersion", "")), str(body.get("kind", ""))
    namespace = str(metadata.get("namespace") or "")
    return RenderedObject(
        api=api,
        kind=kind,
        namespace=namespace or ("" if in_no_namespace(api.rpartition("/")[0], kind) else applying.namespace),
        name=str(metadata.get("name") or ""),
        body=body,
        kustomization=applying.kustomization,
        file=file,
        line=line,
        missing=done.missing,
    )


def _disabled(body: Mapping[str, Any]) -> bool:
    metadata = mapping(body.get("metadata"))
    return any(mapping(metadata.get(key)).get(_DISABLED) == "disabled" for key in ("labels", "annotations"))


def in_no_namespace(group: str, kind: str) -> bool:
    """Whether objects of this group and kind lie in no namespace, as far as that is known without asking."""
    return group in _ALL_WITHOUT or kind in _NO_NAMESPACE.get(group, ())


class _Places:
    """Where objects are written: the file out of kustomize's own annotation, the line out of the file."""

    def __init__(self, folder: str, files: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._files = files
        self._known: dict[str, _Written | None] = {}

    def of(self, body: Mapping[str, Any], part: str) -> tuple[str, int]:
        """File and line (0: not known) of an object; `part` is its text before the substitution."""
        origin = mapping(mapping(body.get("metadata")).get("annotations")).get(_ORIGIN)
        try:
            told = mapping(yamlfile.value(str(origin or "")))
        except YamlInvalid:
            told = {}
        generated = told.get("configuredIn")
        file = os.path.normpath(os.path.join(self._folder, str(told.get("path") or generated or ".")))  # noqa: PTH118 - no file
        written = None if generated else self._written(file)
        if written is None:
            return file, 0
        named = _NAME.search(part)
        name = named[1].strip("'\"") if named else str(mapping(body.get("metadata")).get("name") or "")
        return file, written.line(str(body.get("kind")), name)

    def _written(self, file: str) -> _Written | None:
        """What a file holds, read once however many objects it has; None for a file that was not read."""
        if file not in self._known:
            content = self._files.get(file)
            self._known[file] = None if content is None else _Written.of(content.decode("utf-8", errors="replace"), file)
        return self._known[file]


@dataclass(frozen=True)
class _Written:
    """Where the objects of a file begin: `lone` is the line of the only one, `several` are kind, name and line of each."""

    lone: int = 0
    several: tuple[tuple[str, str, int], ...] = ()

    @classmethod
    def of(cls, text: str, file: str) -> _Written:
        lone = len(re.findall(r"^---", text.lstrip(), re.MULTILINE)) - text.lstrip().startswith("---") < 1
        if lone and not re.search(r"kind:\s*[\"']?\w*List", text):
            begins = _BEGINS.search(text)
            return cls(text.count("\n", 0, begins.start()) + 1 if begins else 1)
        try:
            return cls(several=tuple((kind, str(one.get("name")), at) for kind, one, at in _objects_in(yamlfile.parse(text, file))))
        except YamlInvalid:
            return cls()

    def line(self, kind: str, name: str) -> int:
        """The line where the object of this kind and name begins. A build may have put something before or behind the name."""
        found = [(other, at) for of, other, at in self.several if of == kind]
        exact = [at for other, at in found if other == name]
        near = [at for other, at in found if other in name]
        return (exact or near or [at for _, at in found] or [self.lone])[0]


def _objects_in(documents: tuple[yamlfile.Document, ...]) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Kind, metadata and line of every object in a file, those of lists included."""
    for document in documents:
        body = mapping(document.value)
        items = body.get("items")
        if isinstance(items, list) and str(body.get("kind")).endswith("List"):
            for index, item in enumerate(items):
                yield str(mapping(item).get("kind")), mapping(mapping(item).get("metadata")), document.line(("items", index))
        else:
            yield str(body.get("kind")), mapping(body.get("metadata")), document.line(())

"""Walks the graph of Flux Kustomizations from the entry path: builds each, fills in its variables, goes on with its children.

Parents hand things down by what they apply: a child is read out of its parent's build, patched and substituted. Knows no backup.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.workers import Threads, each
from house.files.grammar import KUBE_NAME, NAMESPACE
from house.files.paths import is_folder
from house.files.problems import Problem
from house.files.shapes import mapping, sequence
from house.flux.building import Builder, NoKustomize, NotBuilt
from house.flux.data import data_of, text_of
from house.flux.kept import Kept
from house.flux.objects import Applying, Read, read_objects
from house.flux.reads import Reads, reads_of
from house.flux.refusal import refusal
from house.flux.rendered import NotFollowed, RenderedObject
from house.flux.sources import GROUP as SOURCES
from house.flux.sources import Own, SourceName, address, elsewhere, is_own, named_by
from house.flux.standins import built_beside
from house.model import FluxApp
from house.repository.source import DeclaredSource
from house.repository.tree import Tree, real

FLUX_GROUP = "kustomize.toolkit.fluxcd.io"
_Key = tuple[str, str, str]
"""Kind, namespace and name of what a Kustomization refers to."""
_MOST_OF_ONE_PATH = 64
_ROUNDS = 3
"""How often the walk is begun again because a later Kustomization brought what an earlier one had lacked."""


@dataclass(frozen=True)
class Applied:
    """One Flux Kustomization with the objects it applies, and the variables of its post-build substitution.

    `unknown_sources` names the ConfigMaps and Secrets whose variables Git does not show.
    """

    app: FluxApp
    declared: RenderedObject
    objects: tuple[RenderedObject, ...] = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    unknown_sources: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """A Kustomization that Flux refuses as it is in Git: what its files declare is declared by nobody else. `into` is the
    namespace that it puts everything into, "" for none; `namespace` that of what names none itself."""

    into: str
    namespace: str
    reads: Reads = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Graph:
    """Every Kustomization that was reached, parents first; the first is what Flux itself was told to apply.

    `source` is what is pulled, as its children call it. `lacking` is what was referred to and not known when it was needed;
    `blind` is True when nothing could be built, for want of kustomize. `refused` are those that Flux applies nothing of.
    """

    applied: tuple[Applied, ...] = ()
    not_followed: tuple[NotFollowed, ...] = ()
    lacking: frozenset[_Key] = frozenset()
    blind: bool = False
    source: DeclaredSource | None = None
    refused: tuple[Refused, ...] = ()


def walk(tree: Tree, builder: Builder, entry: str, source: DeclaredSource) -> Graph:
    """Every Flux Kustomization reached from the entry path; what can't be followed goes to the graph and the tree's notes."""
    if not is_folder(tree.root / source.base / entry):
        tree.hides(entry, 0, "is not there", "this is the path that Flux is told to apply")
        return Graph()
    known = _Known()
    notes, unread = len(tree.notes), len(tree.unread)
    graph = Graph()
    for _ in range(_ROUNDS):
        del tree.notes[notes:], tree.unread[unread:]
        try:
            graph = _Walk(tree, builder, source, known).run(entry)
        except NoKustomize as error:
            tree.hides(entry, 0, f"cannot be read: {error.what}", error.hint)
            return Graph(blind=True)
        if not any(known.has(key) for key in graph.lacking):
            break
    Kept(builder.kept).tidy()
    return graph


class _Known:
    """What Kustomizations may refer to, found so far: variables by kind, namespace and name, and sources."""

    def __init__(self) -> None:
        self.variables: dict[_Key, Mapping[str, str] | None] = {}
        self.sources: dict[tuple[str, str], RenderedObject] = {}

    def has(self, key: _Key) -> bool:
        return key in self.variables or (key[0] == "GitRepository" and key[1:] in self.sources)

    def elsewhere(self, key: _Key) -> _Key | None:
        """The one of the same kind and name in another namespace, if Git has exactly one: something in the cluster copies it."""
        found = [other for other in self.variables if (other[0], other[2]) == (key[0], key[2])]
        return found[0] if len(found) == 1 else None

    def learn(self, one: RenderedObject) -> None:
        if one.kind in ("ConfigMap", "Secret") and not one.group:
            self.variables[one.kind, one.namespace, one.name] = data_of(one)
        elif one.kind == "GitRepository" and one.group == SOURCES:
            self.sources[one.namespace, one.name] = one


@dataclass(frozen=True)
class _Pending:
    """A Kustomization that was reached and is not built yet. `order` is its way from the entry: as the third child of …"""

    declared: RenderedObject
    app: FluxApp
    order: tuple[int, ...] = ()


class _Walk:
    """One way through the graph."""

    def __init__(self, tree: Tree, builder: Builder, source: DeclaredSource, known: _Known) -> None:
        self._tree, self._builder, self._source, self._known = tree, builder, source, known
        self._kept = Kept(builder.kept)
        self._identity = builder.kustomize.identity()
        self._seen: dict[str, RenderedObject] = {}
        self._not_followed: dict[NotFollowed, None] = {}
        self._lacking: set[_Key] = set()
        self._built: dict[str, int] = {}
        self._refused: dict[str, Refused] = {}

    def run(self, entry: str) -> Graph:
        first = self._own_name(self._first(entry))
        applied: dict[tuple[int, ...], Applied] = {(): first}
        pending = self._children(first, ())
        while pending:
            # When nothing else can bring what they lack, they are built without it: those first that wait for nobody.
            waiting = {one.app.key for one in pending}
            ready = (
                [one for one in pending if not self._lacks(one)]
                or [one for one in pending if not waiting & set(one.app.depends_on)]
                or pending
            )
            begun = {one.order for one in ready}
            pending = [one for one in pending if one.order not in begun]
            for one, built_one in zip(ready, self._build(ready), strict=True):
                applied[one.order] = built_one
                pending += self._children(built_one, one.order)
        # Breadth first, whatever order they could be built in.
        ordered = sorted(applied, key=lambda order: (len(order), order))
        whole = tuple(applied[order] for order in ordered)
        told, refused = tuple(self._not_followed), tuple(self._refused.values())
        return Graph(whole, told, frozenset(self._lacking), source=self._source, refused=refused)

    def _first(self, entry: str) -> Applied:
        """What Flux itself applies. Its own Kustomization may stand in what it applies, and then says how."""
        told = self._entry(entry)
        self._seen[told.app.key] = told.declared
        (first,) = self._build([told])
        own = next((one for one in first.objects if _is_kustomization(one) and f"{one.namespace}/{one.name}" == told.app.key), None)
        if own is None:
            return first
        self._seen[told.app.key] = own
        return self._build([_Pending(own, _app(own))])[0]

    def _own_name(self, first: Applied) -> Applied:
        """Where nothing says what Flux's own source is called, it is what all first Kustomizations name, as flux-operator does."""
        children = [one for one in first.objects if _is_kustomization(one)]
        named = {named_by(one.spec, one.namespace, self._source) for one in children}
        usual = SourceName(self._source.kind, self._source.namespace, self._source.name)
        only = next(iter(named), usual)
        known = (only.namespace, only.name) in self._known.sources
        if self._source.named or len(named) != 1 or only.kind != self._source.kind or known:
            return first
        self._source = replace(self._source, namespace=only.namespace, name=only.name, named=True)
        app = replace(first.app, namespace=only.namespace, name=self._source.applies or only.name)
        return replace(first, app=app)

    def _entry(self, entry: str) -> _Pending:
        """What Flux itself applies: the Kustomization of its sync, which may stand in Git only in part."""
        source = self._source
        name = source.applies or source.name
        body = {"metadata": {"name": name, "namespace": source.namespace}, "spec": {"path": entry}}
        place, _, line = source.declared_in.rpartition(":")
        file, at = place or source.declared_in or entry, int(line) if line.isdecimal() else 0
        found = RenderedObject(f"{FLUX_GROUP}/v1", "Kustomization", source.namespace, name, body, "", file, at)
        artifact = source.kind != "GitRepository"
        if source.pinned or artifact:
            where = f"{source.base or 'this tree'} is read in its place"
            why = f"is an artifact that is made elsewhere, and {where}" if artifact else f"is at {source.pinned}, and {where}"
            self._outside(NotFollowed(f"{source.kind} {source.namespace}/{source.name}", why, file, at))
        return _Pending(found, _app(found))

    def _children(self, one: Applied, order: tuple[int, ...]) -> list[_Pending]:
        found: list[_Pending] = []
        for child in one.objects:
            if _is_kustomization(child):
                key = f"{child.namespace}/{child.name}"
                if not self._named(child):
                    continue
                first = self._seen.setdefault(key, child)
                if first is child:
                    found.append(_Pending(child, _app(child), (*order, len(found))))
                elif first.declared_in != child.declared_in:
                    what = f"Kustomization {key} is also at {first.declared_in}, and only that one is followed"
                    self._tree.note(child.file, child.line, what, "give each a name of its own")
        return found

    def _named(self, child: RenderedObject) -> bool:
        """Whether a Kustomization has a name that Kubernetes takes, and its path is not built ever again; told, if not."""
        target = str(child.spec.get("targetNamespace") or "")
        for kind, text in ((KUBE_NAME, child.name), (NAMESPACE, child.namespace), (NAMESPACE, target or child.namespace)):
            told = kind.wrong(text)
            if told is not None:
                self._tree.hides(child.file, child.line, f"a Kustomization: {told[0]}", told[1])
                return False
        path = str(child.spec.get("path") or ".")
        self._built[path] = self._built.get(path, 0) + 1
        if self._built[path] == _MOST_OF_ONE_PATH + 1:
            what = f"more than {_MOST_OF_ONE_PATH} Kustomizations build {path}: they make each other without end"
            self._tree.hides(child.file, child.line, what, "let none build what makes it")
        return self._built[path] <= _MOST_OF_ONE_PATH

    def _lacks(self, one: _Pending) -> list[_Key]:
        """What it refers to and nothing has brought yet."""
        named = named_by(one.declared.spec, one.app.namespace, self._source)
        unknown = is_own(named, self._source, self._known.sources) is Own.UNKNOWN
        lacking = [(named.kind, named.namespace, named.name)] if unknown else []
        return lacking + [key for key, _ in _substitute_from(one) if not self._known.has(key)]

    def _build(self, ready: list[_Pending]) -> list[Applied]:
        """All of them, at the same time as far as there are processors."""
        for one in ready:
            self._lacking.update(self._lacks(one))
        orders = [self._order(one) for one in ready]
        # One more than processors: what one has built is read here, while all of them build.
        made = each(Threads(), self._made, orders, at_once=(os.cpu_count() or 2) + 1)
        applied = []
        for order, outcome in zip(orders, made, strict=True):
            read = outcome if isinstance(outcome, Read) else Read(())
            if isinstance(outcome, NotFollowed):
                self._outside(outcome)
            for problem in read.problems if not isinstance(outcome, Problem) else (outcome,):
                self._tree.hides(problem.file, problem.line, problem.what, problem.better)
            for note in read.notes:
                self._tree.note(note.file, note.line, note.what, note.better)
            if order.reads is not None and not read.objects and (read.problems or isinstance(outcome, Problem)):
                app, applying = order.one.app, order.applying
                self._refused[app.key] = Refused(app.target_namespace, applying.namespace, order.reads, applying.variables)
            for found in read.objects:
                self._known.learn(found)
            applied.append(Applied(order.one.app, order.one.declared, read.objects, order.applying.variables, order.unknown))
        return applied

    def _order(self, one: _Pending) -> _Order:
        reads = self._reads(one)
        variables, unknown = self._variables(one)
        common = mapping(one.declared.spec.get("commonMetadata"))
        applying = Applying(
            kustomization=one.app.key,
            namespace=one.app.target_namespace or one.app.namespace,
            folder=reads.folder if reads is not None else "",
            variables=variables,
            substitutes=bool(variables or unknown),
            labels={str(k): text_of(v) for k, v in mapping(common.get("labels")).items()},
            annotations={str(k): text_of(v) for k, v in mapping(common.get("annotations")).items()},
        )
        return _Order(one, reads, applying, unknown)

    def _variables(self, one: _Pending) -> tuple[dict[str, str], tuple[str, ...]]:
        """Its variables, and the sources of which Git shows none."""
        variables: dict[str, str] = {}
        unknown = []
        for key, optional in _substitute_from(one):
            found = self._known.variables.get(key)
            other = self._known.elsewhere(key) if not self._known.has(key) else None
            if other is not None and (found := self._known.variables[other]) is not None:
                what = f"{one.app.key} takes variables from {key[0]} {key[1]}/{key[2]}, which Git declares as {other[1]}/{other[2]}"
                self._tree.note(one.declared.file, one.declared.line, what, "look whether something copies it there")
            if found is None and (other is not None or self._known.has(key) or not optional):
                unknown.append(f"{key[0]}/{key[2]}")
            variables.update(found or {})
        own = mapping(mapping(one.declared.spec.get("postBuild")).get("substitute"))
        variables |= {str(key): text_of(value) for key, value in own.items()}
        return {key: value.replace("\n", "") for key, value in variables.items()}, tuple(unknown)

    def _reads(self, one: _Pending) -> Reads | None:
        """What building it reads; None, and told, when it is not built from this repository."""
        app, found = one.app, one.declared
        named = named_by(found.spec, app.namespace, self._source)
        path = real(self._tree.root / self._source.base / app.path)
        if is_own(named, self._source, self._known.sources) is not Own.YES or mapping(found.spec.get("kubeConfig")):
            self._outside(NotFollowed(f"Kustomization {app.key}", self._why_not(named, found.spec), found.file, found.line))
        elif path is None or not path.is_relative_to(self._tree.root):
            self._tree.hides(found.file, found.line, f"path {app.path} of {app.key} leaves the repository", "correct spec.path")
        elif not is_folder(path):
            self._tree.hides(found.file, found.line, f"path {app.path} of {app.key} is not there", "correct spec.path")
        else:
            reads = reads_of(self._tree, path, found.spec, found.file, found.line)
            for remote in reads.remotes:
                self._outside(NotFollowed(remote.entry, "lies elsewhere", remote.file, remote.line))
            if not reads.endless:
                return reads
            what = f"the folders below {app.path} of {app.key} name each other thousands of times"
            self._tree.hides(found.file, found.line, what, "let each be named once")
        return None

    def _why_not(self, named: SourceName, spec: Mapping[str, object]) -> str:
        """Why what it applies is not read here."""
        if mapping(spec.get("kubeConfig")):
            return "is applied to another cluster, by its kubeConfig"
        source = self._known.sources.get((named.namespace, named.name)) if named.kind == self._source.kind else None
        same = source is not None and address(str(source.spec.get("url"))) == address(self._source.url)
        at = elsewhere(source, self._source) if source is not None and same else ""
        why = f"which is at {at}: another revision than this tree" if at else "not from this repository"
        return f"is pulled from {named.kind} {named.name}, {why}"

    def _outside(self, one: NotFollowed) -> None:
        self._not_followed[one] = None

    def _made(self, order: _Order) -> Read | Problem | NotFollowed | None:
        """Called in several threads: asks nothing of the tree."""
        if order.reads is None:
            return None
        digest = order.digest(self._identity)
        kept = self._kept.get(digest)
        if kept is not None:
            return kept
        try:
            text = built_beside(self._builder.kustomize, order.reads)
        except NotBuilt as error:
            return refusal(error, order.reads, order.one.declared)
        read = read_objects(text, order.applying, order.reads.files)
        self._kept.put(digest, read)
        return read


@dataclass(frozen=True)
class _Order:
    """One build: what it reads, and what becomes of it."""

    one: _Pending
    reads: Reads | None
    applying: Applying
    unknown: tuple[str, ...]

    def digest(self, kustomize: str) -> str:
        """Of everything that the objects depend on."""
        assert self.reads is not None
        applying = {**vars(self.applying), "variables": dict(self.applying.variables)}
        rest = json.dumps([kustomize, self.reads.digest(), applying], sort_keys=True)
        return hashlib.sha256(rest.encode()).hexdigest()


def _is_kustomization(one: RenderedObject) -> bool:
    return one.kind == "Kustomization" and one.group == FLUX_GROUP


def _substitute_from(one: _Pending) -> list[tuple[_Key, bool]]:
    """The ConfigMaps and Secrets that its variables come from, by kind, namespace and name, and whether each may be absent."""
    sources = sequence(mapping(one.declared.spec.get("postBuild")).get("substituteFrom"))
    return [
        ((str(s.get("kind")), one.app.namespace, str(s.get("name"))), s.get("optional") is True)
        for s in (mapping(source) for source in sources)
    ]


def _app(found: RenderedObject) -> FluxApp:
    spec = found.spec
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
        # The entry may stand in what it applies itself.
        parent=found.kustomization if found.kustomization != f"{found.namespace}/{found.name}" else "",
    )

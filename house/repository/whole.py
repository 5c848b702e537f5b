"""A home-ops repository read whole: cluster, releases, Flux source, applications and their backups. Knows no settings.

Reads files, and builds them with the kustomize that is handed in; decrypts nothing, asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.text.words import number
from house.files import yamlfile
from house.files.paths import is_file, is_link, is_there
from house.files.problems import Problem, shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid
from house.flux.building import Builder
from house.flux.depends import never_ready
from house.flux.graph import Applied, Graph, walk
from house.flux.rendered import NotFollowed, Rendered
from house.model import FluxApp, Release
from house.repository.backups.chart_values import switching_backups_on
from house.repository.backups.declared import Declared, declared
from house.repository.backups.hints import Hints, hints
from house.repository.backups.own_backups import own_backups
from house.repository.backups.rendered_charts import Followed, with_charts
from house.repository.backups.unfollowed import behind_refused, in_files, not_reached
from house.repository.guarding import unguarded
from house.repository.helmfiles.helmfile import (
    crd_helmfile_of,
    helmfile_of,
    read_crd_helmfile,
    read_helmfile,
    unread_helmfiles,
)
from house.repository.named_files import check_helmfile
from house.repository.roads import TALCONFIG, Roads, roads, with_programs
from house.repository.source import DEFAULT_PATH, DeclaredSource
from house.repository.syncs import read_flux_source
from house.repository.talconfigs.erased_disks import erased_disks
from house.repository.talconfigs.talconfig import Talconfig, is_guessed, read_talconfig, talconfig_of
from house.repository.tree import Tree

_COUNTED = "backups in its files are counted, and none is looked at: a run needs Flux"


@dataclass(frozen=True)
class Repository:
    """What was found. `problems` stand in the way of a bootstrap; `notes` tell what could not be followed, and `unread` those of
    them that hide what they declare, backups too: whoever looks at backups has not seen all of them. `decryption` are the Secrets
    (`namespace/name`) that Kustomizations decrypt with and that must be there before, those of Flux's namespace first. `clusters`
    are the entry paths of all clusters that are declared, of which `source` is one. `blind` is True when there was nothing to build
    with, so that nothing at all was seen of what Flux applies. `roads` are those by which it does what is not read here."""

    root: Path
    talconfig: Talconfig | None
    helmfile: Path
    releases: tuple[Release, ...]
    crd_helmfile: Path | None
    crd_charts: tuple[Release, ...]
    source: DeclaredSource
    clusters: tuple[str, ...]
    apps: tuple[FluxApp, ...]
    namespaces: tuple[str, ...]
    declared: Declared
    age_recipients: tuple[str, ...]
    decryption: tuple[str, ...]
    problems: tuple[Problem, ...]
    unread: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    hints: Hints
    rendered: Rendered
    blind: bool
    roads: Roads


def read_repository(root: Path, builder: Builder, entry: str = "") -> Repository:
    """Read the repository at `root`; of several clusters in it the one whose `entry` path is given.

    Never raises for what it holds: problems and notes are part of the answer.
    """
    root = root.resolve()
    tree = Tree(root)
    found_roads = roads(tree)
    sources = read_flux_source(tree, entry)
    if not sources.chosen.path:
        found_roads = with_programs(tree, found_roads)
    talconfig, talos_problems = _talconfig(tree, found_roads, sources.chosen.path)
    releases, release_problems = read_helmfile(root)
    crd_charts, crd_problems = read_crd_helmfile(root)
    files, odd_files = _named_files(root)
    graph = _walked(tree, builder, sources.chosen, found_roads)
    source = graph.source or sources.chosen
    followed = with_charts(tree, graph.applied, source, builder)
    graph = replace(graph, applied=followed.applied)
    objects = tuple(one for applied in graph.applied for one in applied.objects)
    found = _declared(tree, graph, source, found_roads, followed)
    beside = found_roads.beside_flux if source.path else (*found_roads.made_by_programs, *switching_backups_on(tree))
    rendered = Rendered(objects, tuple(_told(tree, one) for one in (*graph.not_followed, *found.not_followed, *beside)))
    never, waiting = never_ready(rendered.objects)
    namespaces = {applied.app.namespace for applied in graph.applied} | {r.namespace for r in releases} | {source.namespace}
    recipients, recipient_problems = _age_recipients(root)
    talos_notes = (*talconfig.refused, *talconfig.notes) if talconfig is not None else ()
    return Repository(
        root=root,
        talconfig=talconfig,
        helmfile=helmfile_of(root),
        releases=releases,
        crd_helmfile=crd_helmfile_of(root),
        crd_charts=crd_charts,
        source=source,
        clusters=sources.clusters,
        apps=tuple(applied.app for applied in graph.applied if applied.declared.kustomization),
        namespaces=tuple(sorted(n for n in namespaces if n)),
        declared=found,
        age_recipients=recipients,
        decryption=_decryption(graph.applied, rendered, source.namespace),
        problems=(*talos_problems, *release_problems, *crd_problems, *files, *recipient_problems, *never),
        unread=tuple(dict.fromkeys(tree.unread)),
        notes=tuple(
            sorted(
                [*tree.notes, *waiting, *erased_disks(rendered), *talos_notes, *odd_files, *unread_helmfiles(root),
                 *unguarded(root, talconfig, recipients)]
            )
        ),
        hints=hints(rendered),
        rendered=rendered,
        blind=graph.blind,
        roads=found_roads,
    )


def _talconfig(tree: Tree, found: Roads, entry: str) -> tuple[Talconfig | None, tuple[Problem, ...]]:
    """As read_talconfig, of the one of several that is the cluster's of this entry path."""
    file = talconfig_of(tree.root, tree.manifests(), entry)
    if not (is_there(file) or is_link(file)):
        other = file.with_suffix(".yml")
        what = f"is not there, and {other.name} is, which talhelper does not look for"
        near = Problem(shown(file, tree.root), 0, "", what, f"rename it to {file.name}")
        return None, (near if is_file(other) else found.lacking_nodes(),)
    if len(found.talconfigs) > 1 and is_guessed(tree.root, file, entry):
        what = f"is taken for the house's own of {number(len(found.talconfigs), 'talconfig')}, by its folder's name"
        tree.note(file, 0, what, f"where another one is, name that folder in git.path, or move it to {TALCONFIG}")
    return read_talconfig(tree.root, file)


def _declared(tree: Tree, graph: Graph, source: DeclaredSource, found: Roads, followed: Followed) -> Declared:
    """Every backup of the graph, and those that are counted without one."""
    if not source.path:
        return replace(declared(tree, ()), unsupported=in_files(tree, found.applied_by))
    objects = tuple(one for applied in graph.applied for one in applied.objects)
    known, (programs, schedules) = declared(tree, graph.applied, followed.releases), own_backups(Rendered(objects))
    hidden = behind_refused(tree.root, source.base, graph.refused)
    unsupported, not_followed = (*known.unsupported, *schedules, *hidden), (*known.not_followed, *followed.makers, *programs)
    if not (known.backups or known.databases or unsupported or any(one.makes_backups for one in not_followed)):
        built = {one.declared_in for one in objects}
        unsupported = tuple(one for one in not_reached(tree) if one.declared_in not in built)
    return replace(known, unsupported=unsupported, not_followed=not_followed)


def _walked(tree: Tree, builder: Builder, source: DeclaredSource, found: Roads) -> Graph:
    if source.path:
        return walk(tree, builder, source.path, source)
    if found.follows:
        tree.hides(found.followed_at, 0, found.follows, _COUNTED)
    elif not found.flux:
        what = "nothing in the repository is Flux's, and what helmfile, a script or a person applies is not followed"
        tree.hides("blackstart.yaml", 0, f"git.path: {what}", _COUNTED)
    if found.flux and not found.argo:
        better = f"write the folder that Flux is told to apply, as in `path: {DEFAULT_PATH}`"
        tree.hides("blackstart.yaml", 0, "git.path: nothing in the repository says what Flux applies", better)
    return Graph()


def _decryption(applied: tuple[Applied, ...], rendered: Rendered, flux: str) -> tuple[str, ...]:
    """Which Secrets must be there before Flux can decrypt: those that nothing makes but what needs them itself."""
    needing: dict[str, set[str]] = {}
    for one in applied:
        if one.app.decryption:
            needing.setdefault(f"{one.app.namespace}/{one.app.decryption}", set()).add(one.app.key)
    for made in rendered.objects:
        external = made.kind == "ExternalSecret"
        named = mapping(made.spec.get("target")).get("name") if external else ""
        key = f"{made.namespace}/{named or made.name}"
        makes = external or (made.kind == "Secret" and not made.group)
        if makes and made.namespace != flux and made.kustomization not in needing.get(key, {made.kustomization}):
            del needing[key]
    return tuple(sorted(needing, key=lambda key: key.partition("/")[0] != flux))


def _named_files(root: Path) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Files that one of the two helmfiles names: those that are not there, and those of which that cannot be known."""
    found = [check_helmfile(file, root) for file in (helmfile_of(root), crd_helmfile_of(root)) if file is not None]
    return tuple(one for wrong, _ in found for one in wrong), tuple(one for _, odd in found for one in odd)


def _told(tree: Tree, one: NotFollowed) -> NotFollowed:
    tree.note(one.file, one.line, one.note.what, one.note.better)
    return one


def _age_recipients(root: Path) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The age recipients of .sops.yaml in order, none when there is no such file. An SSH key is one too, and no age key's half."""
    file = root / ".sops.yaml"
    if not (is_there(file) or is_link(file)):
        return (), ()
    try:
        documents = yamlfile.load(file, shown(file, root))
    except YamlInvalid as error:
        return (), (error.problem,)
    recipients: dict[str, None] = {}
    for document in documents:
        for rule in sequence(mapping(document.value).get("creation_rules")):
            parts = [mapping(rule), *(mapping(g) for g in sequence(mapping(rule).get("key_groups")))]
            for part in parts:
                recipients.update({one: None for one in _listed(part.get("age")) if not one.startswith("ssh-")})
    return tuple(recipients), ()


def _listed(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(text).strip() for text in texts if str(text).strip()]

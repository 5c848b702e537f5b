"""A home-ops repository read whole: cluster, releases, Flux source, applications and their backups. Knows no settings.

Reads files only: runs no program, decrypts nothing, asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house import yamlfile
from house.declared import Declared, declared
from house.flux.interim import rendered
from house.flux.rendered import Rendered
from house.fluxgraph import walk
from house.fluxsource import DEFAULT_PATH, DeclaredSource, read_flux_source
from house.guarding import unguarded
from house.helmfile import crd_helmfile_of, helmfile_of, read_crd_helmfile, read_helmfile, unread_helmfiles
from house.hints import Hints, hints
from house.kustomize import Tree, mapping, sequence
from house.model import FluxApp, Release
from house.problems import Problem, shown
from house.talconfig import Talconfig, read_talconfig
from house.yamlfile import YamlInvalid


@dataclass(frozen=True)
class Repository:
    """What was found. `problems` stand in the way of a bootstrap; `notes` tell what could not be followed, and `unread` those of
    them that hide what they declare, backups too: whoever looks at backups has not seen all of them. `decryption` are the names
    of the Secrets in Flux's namespace that its Kustomizations decrypt with."""

    root: Path
    talconfig: Talconfig | None
    helmfile: Path
    releases: tuple[Release, ...]
    crd_helmfile: Path | None
    crd_charts: tuple[Release, ...]
    source: DeclaredSource
    apps: tuple[FluxApp, ...]
    namespaces: tuple[str, ...]
    declared: Declared
    age_recipients: tuple[str, ...]
    decryption: tuple[str, ...]
    problems: tuple[Problem, ...]
    unread: tuple[Problem, ...]
    notes: tuple[str, ...]
    hints: Hints
    rendered: Rendered


def read_repository(root: Path) -> Repository:
    """Read the repository at `root`. Never raises for what it holds: problems and notes are part of the answer."""
    root = root.resolve()
    tree = Tree(root)
    talconfig, talos_problems = read_talconfig(root)
    releases, release_problems = read_helmfile(root)
    crd_charts, crd_problems = read_crd_helmfile(root)
    source = read_flux_source(tree)
    graph = walk(tree, source.path or DEFAULT_PATH, source.name)
    found = declared(tree, graph)
    namespaces = tree.namespaces | {r.namespace for r in releases} | {source.namespace}
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
        apps=tuple(applied.app for applied in graph),
        namespaces=tuple(sorted(n for n in namespaces if n)),
        declared=found,
        age_recipients=recipients,
        decryption=tuple(
            dict.fromkeys(a.app.decryption for a in graph if a.app.decryption and a.app.namespace == source.namespace)
        ),
        problems=(*talos_problems, *release_problems, *crd_problems, *recipient_problems),
        unread=tuple(dict.fromkeys(tree.unread)),
        notes=tuple(
            str(note)
            for note in sorted([*tree.notes, *talos_notes, *unread_helmfiles(root), *unguarded(root, talconfig, recipients)])
        ),
        hints=hints(graph),
        rendered=rendered(graph),
    )


def _age_recipients(root: Path) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The age recipients of .sops.yaml in order, none when there is no such file."""
    file = root / ".sops.yaml"
    if not file.is_file():
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
                recipients.update(dict.fromkeys(_listed(part.get("age"))))
    return tuple(recipients), ()


def _listed(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(text).strip() for text in texts if str(text).strip()]

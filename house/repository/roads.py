"""By which roads a repository makes its nodes and applies its manifests, where those are not followed here: named, so that a person
knows what a run cannot do. Reads names and the beginnings of documents alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from engine.text.words import number
from house.files.problems import Problem, shown
from house.flux.rendered import NotFollowed
from house.repository.backups.own_backups import BY_THE_CLOCK
from house.repository.tree import Tree

_ARGO = re.compile(r"^apiVersion:[ \t]*[\"']?argoproj\.io/", re.MULTILINE)
_APPLICATION = re.compile(r"^kind:[ \t]*[\"']?(?:Application|ApplicationSet)\b", re.MULTILINE)
# The chart argocd-apps, and whatever has it below: Applications as values, by name or in a list.
_IN_VALUES = re.compile(r"^[ \t]*(?:applications|applicationsets|argocd-apps):[ \t]*(?:#.*)?$", re.MULTILINE | re.IGNORECASE)
_HEAD = (re.compile(r"^apiVersion:[ \t]*\S", re.MULTILINE), re.compile(r"^kind:[ \t]*\S", re.MULTILINE))
_LANGUAGES = (
    ("CUE", (".cue",)), ("Jsonnet", (".jsonnet", ".libsonnet")), ("KCL", (".k",)), ("Pkl", (".pkl",)),
    ("Dhall", (".dhall",)), ("Nix", (".nix",)), ("OpenTofu", (".tf",)), ("Pulumi, CDK8s or another program", (".ts", ".py", ".go")),
)  # fmt: skip
# What the source of an object has, in whatever language: its kind in quotes or not, and its group.
_MADE = re.compile(r"\b(?:ReplicationSource|SnapshotPolicy|ScheduledBackup|barmanObjectStore)\b")
# What makes backups only together: a kind that others have too and the group, a clock and a program.
_MADE_OF = (
    (re.compile(r"\b(?:velero|k8up)\.io\b"), re.compile(r"\bSchedule\b")),
    (re.compile(r"\bRecurringJob\b"), re.compile(r"\btask\b[\"']?[ \t]*[:=][ \t]*[\"']backup")),
    (re.compile(r"cron_?job", re.I), re.compile(rf"(?<!\w)(?:{BY_THE_CLOCK.pattern})(?![\w-])", re.I)),
)
_KUBERNETES = re.compile(
    r"\bapiVersion\b[\"']?[ \t]*[:=]|\bkubernetes_(?:manifest|cron_job)|\bhelm_release\b|\bSetGroupVersionKind\b"
    r"|[\"'](?:cdk8s|@pulumi/kubernetes)\b|\bpulumi_kubernetes\b",
)
# Definitions again, by their own head.
_IS_GENERATED = re.compile(r"\A(?:.*\n){0,4}?.*(?:code |@)generated|\A(?:.*\n){0,4}?.*\bgenerated (?:by|from|typescript)\b", re.I)
_MACHINE = re.compile(r"^machine:[ \t]*(?:#.*)?$", re.MULTILINE)
_CLUSTER = re.compile(r"^cluster:[ \t]*(?:#.*)?$", re.MULTILINE)
_OMNI = re.compile(r"^kind:[ \t]*Cluster\b(?:.*\n)*?^kubernetes:", re.MULTILINE)
_TEMPLATES = (".j2", ".minijinja", ".jinja", ".tmpl")
# Where CUE, Jsonnet and Go keep what others wrote: definitions, and no objects.
_GENERATED = frozenset({"cue.mod", "vendor", "node_modules"})
_NAMED = 3
TALCONFIG = "talos/talconfig.yaml"
_FLUX = "kustomize.toolkit.fluxcd.io/"


@dataclass(frozen=True)
class Roads:
    """`argo` are files with Applications of ArgoCD; `talos` are (file, what it is of) that make nodes' machineconfigs by another
    road than talhelper, of which `talconfigs` are the files. `programs` are (language, files in it that make Kubernetes objects),
    `makers` the files of these that name what makes backups. `manifests`: whether any file holds an object of Kubernetes; `flux`:
    whether any holds a Kustomization of Flux's."""

    argo: tuple[str, ...] = ()
    talos: tuple[tuple[str, str], ...] = ()
    talconfigs: tuple[str, ...] = ()
    programs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    makers: tuple[str, ...] = ()
    manifests: bool = False
    flux: bool = False

    @property
    def follows(self) -> str:
        """What is said of ArgoCD, else of programs that make what is applied, "" where the house has neither."""
        if self.argo:
            return f"ArgoCD {self._applies}, and is not followed"
        made = "; ".join(f"{name} makes objects in {number(len(files), 'file')} ({_few(files)})" for name, files in self.programs)
        return f"{made}: no program is run to see them" if made else ""

    @property
    def applied_by(self) -> str:
        """Who applies what Flux does not, as it is said of an object."""
        return "by ArgoCD" if self.argo else "by nothing that is read here"

    @property
    def followed_at(self) -> str:
        """The first file that `follows` tells of."""
        return self.argo[0] if self.argo else self.programs[0][1][0]

    @property
    def beside_flux(self) -> tuple[NotFollowed, ...]:
        """The same of a house that Flux applies as well: a person says that no backup is in it."""
        return (NotFollowed("ArgoCD", self._applies, self.argo[0], 0),) if self.argo else ()

    @property
    def made_by_programs(self) -> tuple[NotFollowed, ...]:
        """The files in other languages than YAML that name what makes backups."""
        why = "is a program that names what makes backups"
        return tuple(NotFollowed(file, why, file, 0, makes_backups=True) for file in self.makers)

    @property
    def _applies(self) -> str:
        return f"applies what {number(len(self.argo), 'file')} name ({_few(self.argo)})"

    def lacking_nodes(self) -> Problem:
        """What a bootstrap lacks where no talconfig is there, or none of several is the house's for sure."""
        if self.talconfigs:
            what = f"is not there, and which of {len(self.talconfigs)} is meant nothing says: {_few(self.talconfigs)}"
            better = "move the house's own here, or call its folder like one in git.path: an audit needs none"
            return Problem(TALCONFIG, 0, "", what, better)
        made = _few([f"{file} ({what})" for file, what in self.talos])
        what = f"is not there, and what makes the nodes is not read: {made}" if made else "is not there"
        better = "create it, or correct the path: a bootstrap needs what talhelper reads, and an audit does not"
        return Problem(TALCONFIG, 0, "", what, better)


def roads(tree: Tree) -> Roads:
    """What is found at this root."""
    argo, talconfigs = [], []
    talos: dict[str, str] = {}
    manifests = flux = False
    for file in tree.manifests():
        text = tree.text(file)
        name = shown(file, tree.root)
        manifests = manifests or all(part.search(text) for part in _HEAD)
        flux = flux or _FLUX in text
        if _is_of_argo(text):
            argo.append(name)
        elif file.name == PurePosixPath(TALCONFIG).name:
            talconfigs.append(name)
        elif file.name in ("topf.yaml", "topf.yml"):
            talos[name] = "topf"
        elif "machine:" in text and "cluster:" in text and _MACHINE.search(text) and _CLUSTER.search(text):
            talos[name] = "a plain machineconfig"
        elif "talos:" in text and _OMNI.search(text):
            talos[name] = "Omni"
    for file in tree.others(*_TEMPLATES, ".tf"):
        name, text = shown(file, tree.root), tree.text(file)
        if file.suffix == ".tf":
            if "talos_machine_configuration" in text:
                talos[name] = "OpenTofu"
        elif "machineconfig" in file.name and _MACHINE.search(text):
            talos[name] = "a template"
    return Roads(tuple(argo), tuple(talos.items()), tuple(talconfigs), manifests=manifests, flux=flux)


def _is_of_argo(text: str) -> bool:
    if "argoproj.io/" in text and _ARGO.search(text) and _APPLICATION.search(text):
        return True
    return "repoURL:" in text and _IN_VALUES.search(text) is not None


def with_programs(tree: Tree, known: Roads) -> Roads:
    """The same with the programs that make objects of Kubernetes: asked for where Flux does not say what is applied."""
    found, makers = [], list[str]()
    for language, endings in _LANGUAGES:
        own = [file for file in tree.others(*endings) if not _GENERATED & set(file.relative_to(tree.root).parts)]
        texts = [(shown(file, tree.root), tree.text(file)) for file in own]
        made = [(name, text) for name, text in texts if _KUBERNETES.search(text) and not _IS_GENERATED.match(text)]
        found += [(language, tuple(name for name, _ in made))] if made else []
        makers += [name for name, text in made if _makes_backups(text)]
    return replace(known, programs=tuple(found), makers=tuple(makers))


def _makes_backups(text: str) -> bool:
    """Whether a program names what makes backups, in a comment too: it may be one that is taken in again."""
    return bool(_MADE.search(text)) or any(all(part.search(text) for part in parts) for parts in _MADE_OF)


def _few(names: list[str] | tuple[str, ...]) -> str:
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

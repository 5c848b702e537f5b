"""By which roads a repository makes its nodes and applies its manifests, where those are not followed here: named, so that a person
knows what a run cannot do. Reads names and the beginnings of documents alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.words import number
from house.files.problems import Problem, shown
from house.flux.rendered import NotFollowed
from house.repository.tree import Tree

_ARGO = re.compile(r"^apiVersion:[ \t]*[\"']?argoproj\.io/", re.MULTILINE)
_APPLICATION = re.compile(r"^kind:[ \t]*[\"']?(?:Application|ApplicationSet)\b", re.MULTILINE)
_MACHINE = re.compile(r"^machine:[ \t]*(?:#.*)?$", re.MULTILINE)
_CLUSTER = re.compile(r"^cluster:[ \t]*(?:#.*)?$", re.MULTILINE)
_OMNI = re.compile(r"^kind:[ \t]*Cluster\b(?:.*\n)*?^kubernetes:", re.MULTILINE)
_TEMPLATES = (".j2", ".minijinja", ".jinja", ".tmpl")
_NAMED = 3
TALCONFIG = "talos/talconfig.yaml"


@dataclass(frozen=True)
class Roads:
    """`argo` are files with Applications of ArgoCD; `talos` are (file, what it is of) that make nodes' machineconfigs by another
    road than talhelper, of which `talconfigs` are the files."""

    argo: tuple[str, ...] = ()
    talos: tuple[tuple[str, str], ...] = ()
    talconfigs: tuple[str, ...] = ()

    @property
    def follows(self) -> str:
        """What is said of ArgoCD, "" where the house has none."""
        if not self.argo:
            return ""
        return f"ArgoCD {self._applies}, and is not followed"

    @property
    def beside_flux(self) -> tuple[NotFollowed, ...]:
        """The same of a house that Flux applies as well: a person says that no backup is in it."""
        return (NotFollowed("ArgoCD", self._applies, self.argo[0], 0),) if self.argo else ()

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
    for file in tree.manifests():
        text = tree.text(file)
        name = shown(file, tree.root)
        if "argoproj.io/" in text and _ARGO.search(text) and _APPLICATION.search(text):
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
    return Roads(tuple(argo), tuple(talos.items()), tuple(talconfigs))


def _few(names: list[str] | tuple[str, ...]) -> str:
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

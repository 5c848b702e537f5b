"""Which cluster a first settings file is for: its section `git`, what is said where there are others, and the house's name."""

from __future__ import annotations

import shlex

from engine.text.words import number
from house.files.scalars import plain
from house.loader import SETTINGS_FILE
from house.repository.choosing import listed
from house.repository.source import DeclaredSource
from house.repository.whole import Repository
from house.settings.values import FILL_IN

MOST = 40
"""Characters of a house's name."""
_APPLIED = "the folder that Flux is told to apply, as in kubernetes/flux/cluster"


def several(repository: Repository, *, guessed: bool) -> tuple[str, ...]:
    """What is said where the file is for one of several clusters, with what writes another's."""
    others = _others(repository)
    if not others:
        return ()
    this, count = _tree_path(repository.source), len(others) + 1
    why = "by a guess, for nothing says which is meant" if guessed else "as you said"
    again = f"invoke config.init --repo {shlex.quote(str(repository.root))} --git-path {shlex.quote(others[0])}"
    rest = f", or {listed(others[1:])}" if others[1:] else ""
    what = f"is for {this} alone, one of {number(count, 'cluster')} of the repository, {why}"
    return (f"{SETTINGS_FILE}: {what}; for the other{'s' * (count > 2)} move it aside, then {again}{rest}",)


def called(repository: Repository) -> str:
    """What the house is called: as its folder, and of several clusters by the parts that set its path apart from all of them, since
    a house's name is what a lock, a Lease and a pool go by."""
    alike, apart = [path.split("/") for path in _others(repository)], list[str]()
    for at, part in enumerate(_tree_path(repository.source).split("/")):
        same = [other for other in alike if other[at : at + 1] == [part]]
        apart += [part] if len(same) < len(alike) else []
        alike = same
    own = "-".join(apart)
    return f"{repository.root.name[: max(0, MOST - 1 - len(own))]}-{own}" if own else repository.root.name


def git_text(repository: Repository, *, guessed: bool) -> str:
    """The section `git`. `guessed`: nobody has said which of several clusters is meant."""
    source, others = repository.source, _others(repository)
    lines = ["# What Flux pulls. Only what the repository does not say, or says differently from how it is reached."]
    if source.url:
        lines.append(f"# Found at {source.declared_in}: {source.url}, branch {source.branch or 'unknown'}.")
    wanted = []
    if not source.url:
        wanted.append(f"  url: {FILL_IN}  # what Flux is to pull: git remote get-url origin")
    if not source.branch:
        wanted.append(f"  branch: {FILL_IN}  # git branch --show-current")
    if others:
        rest = "the other is" if len(others) == 1 else "the others are"
        told = f"{'(usual): ' * guessed}one of {number(len(others) + 1, 'cluster')}, {rest} {', '.join(others)}"
        wanted.append(f"  path: {plain(_tree_path(source))}  # {told}")
    elif not guessed:
        wanted.append(f"  path: {plain(_tree_path(source))}")
    elif not source.path and repository.roads.flux and not repository.roads.argo:
        wanted.append(f"  path: {FILL_IN}  # {_APPLIED}")
    elif not source.path and not repository.roads.follows:  # nobody is asked what Flux applies where nothing is Flux's
        wanted.append(f"  # path: …  # {_APPLIED}")
    if source.url.startswith("ssh:"):
        wanted.append(f"  deploy_key: {FILL_IN}  # reference to the private deploy key, as file:~/.ssh/home-ops")
    lines += ["git:", *wanted] if wanted else ["git: {}"]
    return "\n".join(lines) + "\n"


def _others(repository: Repository) -> list[str]:
    """The entry paths of the repository's other clusters."""
    return [path for path in repository.clusters if path != _tree_path(repository.source)]


def _tree_path(source: DeclaredSource) -> str:
    return f"{source.base}/{source.path}" if source.base else source.path

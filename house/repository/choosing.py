"""Which of a repository's clusters the settings mean: the folder that Flux is told to apply. Knows no section but `git`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.text.words import number
from house.files.paths import is_folder
from house.files.problems import Problem, Steps, dotted, nearest
from house.files.shapes import mapping
from house.files.yamlfile import Document
from house.repository.whole import Repository
from house.settings.values import FILL_IN, repository_path_of

_WHERE: Steps = ("git", "path")
NO_FOLDER = "is no folder of the repository"


def entry_of(document: Document | None) -> str:
    """What `git.path` says, "" where it says nothing that can be looked for, also when something else in the file is wrong."""
    said = mapping(mapping(document.value).get("git")).get("path") if document is not None else None
    if not isinstance(said, str) or FILL_IN in said:
        return ""
    try:
        return repository_path_of(said)
    except ValueError:  # told with the problems of the settings
        return ""


def entry_problems(document: Document, repository: Repository, entry: str) -> Iterator[Problem]:
    """A path that is not there, and none where the repository holds several clusters."""
    clusters = list(repository.clusters)
    if entry and (better := instead_of(entry, repository)):
        yield Problem(document.name, document.line(_WHERE), dotted(_WHERE), f"{entry} {NO_FOLDER}", better)
    elif not entry and len(clusters) > 1:
        what = f"is not said, and the repository holds {number(len(clusters), 'cluster')}"
        better = f"write which: `git: {{path: …}}` with {listed(clusters)}"
        yield Problem(document.name, document.line(_WHERE), dotted(_WHERE), what, better)


def instead_of(entry: str, repository: Repository) -> str:
    """What would be right for a path that is no folder of the repository, which was read by it; "" for one that is there."""
    if is_folder(repository.root / repository.source.base / repository.source.path):
        return ""
    clusters = list(repository.clusters)
    near = nearest(entry, clusters)
    return f"the nearest known one is {near}" if near else f"there are {listed(clusters)}" if clusters else "correct it"


def listed(paths: list[str]) -> str:
    """`a, b or c`."""
    return " or ".join(filter(None, [", ".join(paths[:-1]), paths[-1]])) if paths else ""

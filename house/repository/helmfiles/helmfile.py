"""Reads the releases of the bootstrap helmfile, and the charts of the one beside it of which only the CRDs are installed.

Knows no chart and runs no program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from house.files import grammar, yamlfile
from house.files.paths import is_file, is_link, is_there
from house.files.problems import Problem, Steps, dotted, nearest_or_all, shown
from house.files.shapes import mapping, sequence
from house.files.typed import go_truth, kind_of
from house.files.yamlfile import Document, YamlInvalid
from house.model import Release
from house.repository.helmfiles.fields import fields_amiss, unknown_repositories
from house.repository.helmfiles.inherits import Inherits

_KEYS = ("name", "namespace", "chart", "version")
_FOLDER = "bootstrap/helmfile.d"
_PLACES = (
    "bootstrap/helmfile.yaml", f"{_FOLDER}/01-apps.yaml", f"{_FOLDER}/apps.yaml", "bootstrap/helmfile/apps.yaml",
    "kubernetes/bootstrap/helmfile/apps.yaml", "kubernetes/bootstrap/helmfile.yaml", "helmfile.yaml",
)  # fmt: skip
_CRD_PLACES = (
    f"{_FOLDER}/00-crds.yaml", f"{_FOLDER}/crds.yaml", "bootstrap/crds/helmfile.yaml", "bootstrap/helmfile/crds.yaml",
    "kubernetes/bootstrap/helmfile/crds.yaml",
)  # fmt: skip
# What changes a chart's text besides its values: helm alone, which renders the CRDs, is not told of it.
_CHART = re.compile(r"(?:oci://|https://)?[A-Za-z0-9./_~][A-Za-z0-9./_+@:~-]*")
_PINNED = re.compile(r"@sha256:[0-9a-f]{64}$|/[^/:]+:v?[0-9]+\.[0-9][0-9A-Za-z.+_-]*$|-v?[0-9]+\.[0-9][0-9A-Za-z.+-]*\.tgz$")
_BEYOND_VALUES = ("set", "setTemplate", "jsonPatches", "strategicMergePatches", "transformers", "dependencies")


_OTHER = (".yml", ".yml.gotmpl", ".YAML", "")


def helmfile_of(root: Path) -> Path:
    """Where the repository keeps its bootstrap helmfile; the first usual place when it has none."""
    return next((root / place for place in _PLACES if is_file(root / place)), root / _PLACES[0])


def crd_helmfile_of(root: Path) -> Path | None:
    """The helmfile of which only the CRDs are installed, before everything else; None when the repository has none."""
    places = [root / place for place in _CRD_PLACES]
    return next((place for place in places if is_file(place) or is_file(_template_of(place))), None)


def unread_helmfiles(root: Path) -> tuple[Problem, ...]:
    """Helmfiles beside the two that are read: `helmfile` takes the whole folder, so they are told and not passed over."""
    read = [file for file in (helmfile_of(root), crd_helmfile_of(root)) if file is not None]
    told = {*read, *map(_template_of, read)}  # a template in their place is a problem of its own
    beside = sorted(f for ending in ("*.yaml", "*.yaml.gotmpl") for f in (root / _FOLDER).glob(ending) if f not in told)
    better = "list its releases in the one for applications, or let Flux install them"
    return tuple(Problem(shown(file, root), 0, "", "is not read", better) for file in beside)


def read_helmfile(root: Path) -> tuple[tuple[Release, ...], tuple[Problem, ...]]:
    """The releases that a bootstrap installs, and what is wrong with the file. `needs` become `namespace/name`."""
    file = helmfile_of(root)
    releases, problems = _read(file, root)
    if not releases and not problems:
        problems = (Problem(shown(file, root), 0, "releases", "is empty", "list the releases that a bootstrap installs"),)
    return releases, problems


def read_crd_helmfile(root: Path) -> tuple[tuple[Release, ...], tuple[Problem, ...]]:
    """The charts of which a bootstrap installs the CRDs alone, and what is wrong with the file. No file, no charts."""
    file = crd_helmfile_of(root)
    return _read(file, root, _BEYOND_VALUES) if file is not None else ((), ())


def _read(file: Path, root: Path, unread: Iterable[str] = ()) -> tuple[tuple[Release, ...], tuple[Problem, ...]]:
    name = shown(file, root)
    try:
        documents = yamlfile.load(file, name)
    except YamlInvalid as error:
        template = _template_of(file)
        if is_file(template):
            better = f"keep the releases in plain YAML, in {file.name}"
            return (), (Problem(shown(template, root), 0, "", "is a template, which is not read", better),)
        other = next((one for ending in _OTHER if is_file(one := file.with_name(f"helmfile{ending}"))), None)
        if other is not None and not (is_there(file) or is_link(file)):
            what = f"is not there, and {other.name} is, which helmfile does not look for"
            return (), (Problem(name, 0, "", what, f"rename it to {file.name}"),)
        better = "templated helmfiles are not read; keep the releases in plain YAML"
        problem = error.problem
        return (), (Problem(name, problem.line, "", problem.what, better) if _templated(file) else problem,)
    problems: list[Problem] = []
    releases: list[Release] = []
    keys: set[str] = set()
    inherits = Inherits(documents, file, root)
    for document in documents:
        problems += [*yamlfile.duplicate_problems(document), *_unread(document, inherits), *_beyond_values(document, unread)]
        problems += fields_amiss(document)
        body = mapping(document.value)
        atomic = go_truth(mapping(body.get("helmDefaults")).get("atomic")) is True
        for index, item in enumerate(sequence(body.get("releases"))):
            if isinstance(item, dict) and go_truth(item.get("installed")) is not False:
                text = {key: inherits.text(item, key, document.text(("releases", index, key))) for key in _KEYS}
                _release(document, index, item, text, atomic, releases, keys, problems)
    _check_needs(releases, name, problems)
    problems += unknown_repositories(documents, file)
    return tuple(releases), tuple(problems)


def _beyond_values(document: Document, keys: Iterable[str]) -> Iterator[Problem]:
    for index, item in enumerate(sequence(mapping(document.value).get("releases"))):
        for key in keys:
            if mapping(item).get(key):
                where: Steps = ("releases", index, key)
                yield Problem(document.name, document.line(where), dotted(where), "is not read", "write it under `values`")


def _unread(document: Document, inherits: Inherits) -> Iterator[Problem]:
    """Releases that helmfile would install, or leave out, for reasons that are not read here."""

    def wrong(where: Steps, what: str, better: str) -> Problem:
        return Problem(document.name, document.line(where), dotted(where), what, better)

    body = mapping(document.value)
    if body.get("helmfiles"):
        yield wrong(("helmfiles",), "other helmfiles are not read", "list their releases here")
    releases = body.get("releases")
    if releases is not None and not isinstance(releases, list):
        yield wrong(("releases",), f"is {kind_of(releases)}, not a list", "write a list of releases")
    for index, item in enumerate(sequence(releases)):
        where: Steps = ("releases", index)
        if not isinstance(item, dict):
            yield wrong(where, f"is {kind_of(item)}, not a mapping", "write a release with name, namespace and chart")
            continue
        if item.get("condition") and go_truth(item.get("installed")) is None:
            better = "write `installed: true` or false instead"
            yield wrong((*where, "condition"), "is decided by values that are not read", better)
        for key in (*_KEYS, "installed"):
            if "{{" in inherits.text(item, key, document.text((*where, key))):
                yield wrong((*where, key), "is a template, which is not read", "write the value out")


def _release(
    document: Document,
    index: int,
    body: Mapping[str, Any],
    text: Mapping[str, str],
    atomic: bool,
    releases: list[Release],
    keys: set[str],
    problems: list[Problem],
) -> None:
    def wrong(key: str, what: str, better: str) -> None:
        where = ("releases", index, key)
        problems.append(Problem(document.name, document.line(where), dotted(where), what, better))

    for key in ("name", "namespace", "chart"):
        if not text[key]:
            wrong(key, "is missing", f"write the release's {key}")
    for key, kind in (("name", grammar.RELEASE), ("namespace", grammar.NAMESPACE)):
        if text[key] and "{{" not in text[key] and (found := kind.wrong(text[key])) is not None:
            wrong(key, *found)
    if text["chart"] and "{{" not in text["chart"]:
        for key, what, better in _chart(text["chart"], text["version"]):
            wrong(key, what, better)
    needs = tuple(_need(str(n), text["namespace"]) for n in sequence(body.get("needs")))
    release = Release(
        namespace=text["namespace"],
        name=text["name"],
        chart=text["chart"],
        version=text["version"],
        needs=needs,
        atomic=go_truth(body.get("atomic", atomic)) is True,
    )
    if release.key in keys:
        wrong("name", f"{release.key} is in the file twice", "keep one of the two")
    keys.add(release.key)
    releases.append(release)


def _chart(chart: str, version: str) -> Iterator[tuple[str, str, str]]:
    """Whether it is a chart, and known which of its versions: one that is not pinned is another one tomorrow."""
    if _CHART.fullmatch(chart) is None:
        yield "chart", f"{grammar.quoted(chart)} is no chart", "write REPOSITORY/CHART, oci://HOST/CHART or a path"
    elif not version and not (chart.startswith((".", "/")) or _PINNED.search(chart)):
        yield "version", "is missing", "write the chart's version: without one, the newest is installed"
    elif version and "{{" not in version and not grammar.CHART_VERSION.fits(version):
        yield "version", f"{grammar.quoted(version)} is not one version", "write the chart's version, as in `version: 1.19.4`"


def _check_needs(releases: list[Release], name: str, problems: list[Problem]) -> None:
    known = {release.key: release for release in releases}
    for release in releases:
        for need in release.needs:
            if need not in known:
                advice = nearest_or_all(need, list(known))
                problems.append(Problem(name, 0, "releases", f"{release.key} needs {need}, which is no release here", advice))
    try:
        TopologicalSorter({key: [n for n in release.needs if n in known] for key, release in known.items()}).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        what = f"need each other in a circle: {circle}"
        problems.append(Problem(name, 0, "releases", what, "take one of these needs out: none could be installed"))


def _need(text: str, namespace: str) -> str:
    """`[context/][namespace/]name` as `namespace/name`."""
    parts = text.split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else f"{namespace}/{text}"


def _template_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.gotmpl")


def _templated(file: Path) -> bool:
    return is_file(file) and "{{" in file.read_text(encoding="utf-8", errors="replace")

"""Fields of a helmfile that helmfile refuses to read: of another type, or misspelt.

Source: the types of helmfile 1.8, which it reads strictly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from house.files import grammar
from house.files.paths import is_there
from house.files.problems import Problem, Steps, dotted, nearest_or_all
from house.files.shapes import mapping, sequence
from house.files.typed import GO_TRUTH, LIST, MAPPING, MAPPINGS, SCALAR, SCALARS, WHOLE, Fields, Shape, amiss, go_truth
from house.files.yamlfile import Document

_EVERYWHERE: Fields = {
    **dict.fromkeys(
        ("wait", "waitForJobs", "atomic", "cleanupOnFail", "createNamespace", "force", "devel", "verify", "recreatePods"), GO_TRUTH
    ),
    **dict.fromkeys(("timeout", "historyMax", "waitRetries"), WHOLE),
}
_WHOLE_FILE: Fields = {
    "helmDefaults": MAPPING, "templates": MAPPING, "environments": MAPPING, "commonLabels": MAPPING,
    "repositories": MAPPINGS, "bases": SCALARS,
}  # fmt: skip
_VALUE = Shape("a file or values", "name a file", lambda value: isinstance(value, str | dict))
_VALUES = Shape(LIST.words, "write a list of files or of values", LIST.fits, _VALUE)
_RELEASE: Fields = {
    **_EVERYWHERE, "installed": GO_TRUTH, "needs": SCALARS, "values": _VALUES, "secrets": _VALUES, "set": LIST, "hooks": LIST,
    "labels": MAPPING, "dependencies": LIST, **dict.fromkeys(("name", "namespace", "chart", "version", "condition"), SCALAR),
}  # fmt: skip
_OTHERS = frozenset({
    "chartPath", "directory", "keyring", "enableDNS", "updateStrategy", "rollbackOnFailure", "forceConflicts", "reuseValues",
    "disableOpenAPIValidation", "disableValidation", "disableValidationOnInstall", "missingFileHandler",
    "missingFileHandlerConfig", "unitTests", "description", "setString", "valuesTemplate", "setTemplate", "apiVersions",
    "kubeVersion", "env", "valuesPathPrefix", "kubeContext", "insecureSkipTLSVerify", "plainHttp", "verifyTemplate",
    "waitTemplate", "installedTemplate", "conditionTemplate", "jsonPatches", "strategicMergePatches", "transformers", "adopt",
    "forceGoGetter", "forceNamespace", "skipDeps", "skipRefresh", "resolveOCIVersions", "postRenderer", "skipSchemaValidation",
    "postRendererArgs", "cascade", "suppressOutputLineRegex", "disableAutoDetectedKubeVersionForDiff", "inherit",
    "suppressDiff", "deleteWait", "deleteTimeout", "syncReleaseLabels", "takeOwnership", "serverSide", "trackMode",
    "trackTimeout", "trackLogs", "trackFailedLogs", "helmStuckGrace", "trackKinds", "skipKinds", "trackResources", "kubedogQPS",
    "kubedogBurst", "trackFailOnError", "tillerless", "tillerNamespace",
})  # fmt: skip
"""Further fields of a release: one that is none of these may be a newer helmfile's, unless it is nearly one that is read here."""
_NEAR = 0.8
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PULLED_BY = ("https", "http", "oci", "s3", "gs", "git+https", "git+ssh")
"""Schemes that helm, or a plugin of it that is in use, pulls charts by."""


def fields_amiss(document: Document) -> Iterator[Problem]:
    """Everything in this document that helmfile refuses to read, each where it stands."""
    body = mapping(document.value)
    found: list[tuple[Steps, str, str]] = [*amiss(body, _WHOLE_FILE)]
    found += _below(("helmDefaults",), body.get("helmDefaults"), _EVERYWHERE)
    found += _repositories(sequence(body.get("repositories")))
    for index, release in enumerate(sequence(body.get("releases"))):
        found += _below(("releases", index), release, _RELEASE)
        found += _misspelt(("releases", index), mapping(release))
    for where, what, better in found:
        yield Problem(document.name, document.line(where), dotted(where), what, better)


def _below(where: Steps, value: Any, fields: Fields) -> Iterator[tuple[Steps, str, str]]:
    yield from (((*where, *steps), what, better) for steps, what, better in amiss(mapping(value), fields))


def _misspelt(where: Steps, release: dict[str, Any]) -> Iterator[tuple[Steps, str, str]]:
    for key in release.keys() - _RELEASE.keys() - _OTHERS:
        if near := get_close_matches(key, _RELEASE, n=1, cutoff=_NEAR):
            yield (*where, key), "is no field of a release", f"the nearest one is {near[0]}"


def _repositories(items: list[Any]) -> Iterator[tuple[Steps, str, str]]:
    """Charts of a name come from one place: helm keeps the one that it is told last."""
    known: dict[str, int] = {}
    for index, item in enumerate(items):
        where: Steps = ("repositories", index)
        name, url = (mapping(item).get(key) for key in ("name", "url"))
        if isinstance(name, str) and known.setdefault(name, index) != index:
            yield (*where, "name"), f"{grammar.quoted(name)} is in the list twice", "keep one of the two"
        if isinstance(url, str) and "{{" not in url and (wrong := _url(url, oci=go_truth(mapping(item).get("oci")) is True)):
            yield (*where, "url"), wrong, "write https://HOST/PATH, or HOST/PATH with `oci: true`"


def _url(url: str, *, oci: bool) -> str:
    parts = grammar.url_parts(f"oci://{url}" if oci and "://" not in url else url)
    if parts is None or not parts.hostname or url.startswith("-"):
        return "is no address of a repository of charts"
    if not oci and parts.scheme == "oci":
        return "is a registry, which helmfile adds as a repository without `oci: true`, and helm refuses"
    return "" if oci or parts.scheme in _PULLED_BY else "is no place that helm pulls charts from"


def unknown_repositories(documents: Iterable[Document], file: Path) -> Iterator[Problem]:
    """Charts of a repository that no document of this file names, nor may name in its `bases`, and that are no folder here."""
    bodies = [(document, mapping(document.value)) for document in documents]
    if any(body.get("bases") for _, body in bodies):
        return
    known = [str(mapping(one).get("name")) for _, body in bodies for one in sequence(body.get("repositories"))]
    for document, body in bodies:
        for index, item in enumerate(map(mapping, sequence(body.get("releases")))):
            chart = item.get("chart")
            if not isinstance(chart, str) or "{{" in chart or go_truth(item.get("installed")) is False:
                continue
            alias, slash, _ = chart.partition("/")
            if slash and _ALIAS.fullmatch(alias) and alias not in known and not is_there(file.parent / chart):
                where: Steps = ("releases", index, "chart")
                what = f"{alias} is none of the repositories that are named here"
                yield Problem(document.name, document.line(where), dotted(where), what, nearest_or_all(alias, known))

"""The custom resource definitions that the charts of the CRD helmfile bring: rendered once, and kept in the state folder.

What a chart brings follows from its digest alone, so a file that is gone is made again. Knows no API server.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.helm.helmfile import Helmfile
from adapters.helm.results import Crd
from adapters.kubernetes.objects import Obj, name_of, rows, table, text
from engine.errors import PermanentError
from engine.files.whole import put_in_place
from engine.text.digest import digest
from engine.text.jsontext import Malformed, read_file
from house.files.yamlfile import YamlInvalid, value
from house.model import House

_API = "apiextensions.k8s.io/v1"
BREAK = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
# A chart may render megabytes besides: only what this line stands in is read as YAML.
_KIND = re.compile(r"^kind:[ \t]*[\"']?CustomResourceDefinition\b", re.MULTILINE)
# Of the metadata only what the chart means: the rest is the API server's, and refused from us.
_METADATA = ("name", "labels", "annotations")


class ChartCrds:
    """The charts of the CRD helmfile, each by what it brings."""

    def __init__(self, helmfile: Helmfile, house: House) -> None:
        self._helmfile, self._house = helmfile, house
        self._folder = house.state_dir / "crds"  # not among what is gone when a run ends

    def of(self, namespace: str, name: str) -> tuple[Crd, ...]:
        """What the chart brings, by name. PermanentError, with helm's words, when it cannot be rendered or brings none."""
        wanted = digest(self._helmfile.digest(namespace, name), self._house.cluster.kubernetes_version)
        file = self._folder / f"crds-{namespace}_{name}-{wanted}.json"
        kept = _read(file)
        if kept:
            return kept
        release = self._helmfile.release(namespace, name)
        rendered = self._helmfile.template(namespace, name, "--no-hooks")
        found = tuple(sorted({crd.name: crd for crd in crds_in(rendered, release.key)}.values(), key=lambda crd: crd.name))
        if not found:
            raise PermanentError(
                f"{release.chart} {release.version} brings no custom resource definition with the values it is given",
                hint=f"give it the values that turn them on (often `crds.enabled: true`), or take it out of {self._file_name}",
            )
        self._keep(file, f"crds-{namespace}_{name}-*.json", found)
        return found

    @property
    def _file_name(self) -> str:
        return self._house.crd_helmfile.name if self._house.crd_helmfile is not None else "the helmfile"

    def _keep(self, file: Path, older: str, found: tuple[Crd, ...]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._helmfile.scratch() as folder:
            fresh = folder / file.name
            fresh.write_text(json.dumps([asdict(crd) for crd in found]), encoding="utf-8")
            put_in_place(fresh, file, lasting=False)
        for old in self._folder.glob(older):
            if old != file:
                old.unlink(missing_ok=True)


def crds_in(rendered: str, chart: str) -> Iterator[Crd]:
    """Every custom resource definition in what helm rendered; `chart` is the chart's `namespace/name`.

    PermanentError for one that is no YAML, has no name, or is of an API version that is not served any more.
    """
    for part in BREAK.split(rendered):
        if _KIND.search(part):
            try:
                found: Any = value(part, chart)
            except YamlInvalid as error:
                raise PermanentError(f"{chart} renders what is no YAML", evidence=(str(error.problem),)) from None
            yield _crd(found, chart)


def _crd(found: Obj, chart: str) -> Crd:
    name = name_of(found)
    if text(found, "apiVersion") != _API or not name:
        raise PermanentError(
            f"{chart} brings {name or 'a custom resource definition without a name'} of {text(found, 'apiVersion') or 'no API'}",
            hint=f"API servers take {_API}: a newer version of the chart has it",
        )
    metadata = {key: below for key in _METADATA if (below := table(found, "metadata").get(key))}
    document = json.dumps({"metadata": metadata, "spec": table(found, "spec")}, sort_keys=True)
    served = tuple(text(version, "name") for version in rows(found, "spec", "versions") if version.get("served"))
    return Crd(name, chart, served, hashlib.sha256(document.encode()).hexdigest(), document, text(found, "spec", "names", "kind"))


def _read(file: Path) -> tuple[Crd, ...]:
    """What was kept; nothing when it is not there or not whole."""
    try:
        return read_file(file, lambda rows: tuple(Crd(**{**one, "served": tuple(one["served"])}) for one in rows))
    except (OSError, Malformed):
        return ()

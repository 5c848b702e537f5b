"""What a chart makes of a release's values, where the chart lies on this machine: rendered by the real helm, and never fetched.

Knows no program: how helm is run is handed in. Of what is rendered only backups are kept, what says where they lie, and what may
make others: a release that is rendered is counted as a maker no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from engine.errors import PermanentError
from house.files import yamlfile
from house.files.plain import older_scalar
from house.files.shapes import mapping
from house.files.yamlfile import YamlInvalid
from house.flux.objects import in_no_namespace
from house.flux.outside import outside
from house.flux.rendered import RenderedObject

_GROUPS = ("volsync.backube", "kopiur", "velero.io", "k8up.io", "longhorn.io", "cnpg.io", "external-secrets.io", "kyverno.io")
_KINDS = (("", "Secret"), ("", "ConfigMap"), ("batch", "CronJob"))
_SAY_WHERE = ("", "external-secrets.io")
"""Groups of those that back up nothing themselves."""


class NotRendered(PermanentError):
    """helm refuses a chart, or there is no helm; `evidence` holds its own words."""


class Charts(Protocol):
    """The real helm, and the charts that it has fetched before."""

    def find(self, address: str, version: str) -> Path | None:
        """Where the chart of this address (`oci://ghcr.io/x/app-template`) and exact version lies; None where it does not."""

    def render(self, chart: Path, release: str, namespace: str, values: Mapping[str, Any]) -> str:
        """The YAML of a release of this chart, a folder or an archive, in a cluster that serves what makes backups. Asks neither a
        network nor a cluster. Raises NotRendered."""


def backup_objects(text: str, release: RenderedObject, namespace: str) -> Iterator[RenderedObject]:
    """Backups among what was rendered of a release, and what says where they lie, each placed where the release is.

    Raises NotRendered where it is no YAML.
    """
    try:
        documents = yamlfile.parse(text, release.file, plain=older_scalar)  # helm reads what it has rendered as YAML 1.1
    except YamlInvalid as error:
        raise NotRendered("what helm renders of it is no YAML", evidence=(str(error.problem),)) from None
    for document in documents:
        body = mapping(document.value)
        api, kind, metadata = str(body.get("apiVersion") or ""), str(body.get("kind") or ""), mapping(body.get("metadata"))
        group = api.rpartition("/")[0]
        own = "" if in_no_namespace(group, kind) else namespace
        name, space = str(metadata.get("name") or ""), str(metadata.get("namespace") or own)
        made = RenderedObject(api, kind, space, name, body, release.kustomization, release.file, release.line)
        if any(part in group for part in _GROUPS) or (group, kind) in _KINDS or outside(made).not_followed is not None:
            yield made


def says_where(made: RenderedObject) -> bool:
    """Whether one of these makes no backups itself, and at most says where they lie."""
    return made.group in _SAY_WHERE

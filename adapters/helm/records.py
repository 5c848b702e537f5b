"""Helm's own records: Secrets of type helm.sh/release.v1 (Helm 3, and Helm 4 as helm-controller writes it). Knows no HTTP."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.helm.results import ReleaseState, ReleaseStatus
from adapters.kubernetes.objects import Obj, dig, name_of, namespace_of, table, text
from engine.secrets import redact
from engine.text.jsontext import an_object, read
from house.files.grammar import number_of

SELECTOR = "owner=helm"


def newest(records: Iterable[Obj]) -> dict[tuple[str, str], Obj]:
    """(namespace, release) → the record of its highest revision. Labels are enough: metadata without payload will do."""
    found: dict[tuple[str, str], Obj] = {}
    for record in records:
        key = (namespace_of(record), text(record, "metadata", "labels", "name"))
        if key not in found or revision_of(record) > revision_of(found[key]):
            found[key] = record
    return found


def revision_of(record: Obj) -> int:
    """The revision, out of the label (the name ends in it too)."""
    return number_of(text(record, "metadata", "labels", "version")) or 0


def state_of(record: Obj, *, run: str, managed_by_flux: bool) -> ReleaseState:
    """What one record with its payload says; a payload that cannot be read leaves chart and version empty and says so."""
    release, trouble = _payload(table(record, "data"))
    metadata = table(record, "metadata")
    return ReleaseState(
        namespace=namespace_of(record),
        name=text(metadata, "labels", "name"),
        status=_status(text(metadata, "labels", "status")),
        revision=revision_of(record),
        chart=text(release, "chart", "metadata", "name"),
        version=text(release, "chart", "metadata", "version"),
        record=f"{text(metadata, 'uid')}/{text(metadata, 'resourceVersion')}",
        managed_by_flux=managed_by_flux,
        run=run,
        detail=trouble or redact(text(release, "info", "description")),
    )


def record_name(state: ReleaseState) -> str:
    """The name of the Secret that holds this revision."""
    return f"sh.helm.release.v1.{state.name}.v{state.revision}"


def kept_by(release: Obj) -> tuple[str, str] | None:
    """(namespace of the record, release) that an unsuspended HelmRelease keeps, None when it is suspended.

    helm-controller takes such a release over at once, a pending one too, even from a helm that is still at it.
    """
    if dig(release, "spec", "suspend") is True:
        return None
    target = text(release, "spec", "targetNamespace")
    name = text(release, "spec", "releaseName") or (f"{target}-{name_of(release)}" if target else name_of(release))
    return text(release, "spec", "storageNamespace") or namespace_of(release), name


def _payload(data: Mapping[str, Any]) -> tuple[Obj, str]:
    try:
        inner = base64.b64decode(base64.b64decode(str(data.get("release", "")), validate=True), validate=True)
        parsed = read(gzip.decompress(inner), an_object)
    except (OSError, EOFError, zlib.error, ValueError):
        return {}, "helm's record cannot be read"
    return parsed, ""


def _status(word: str) -> ReleaseStatus:
    try:
        return ReleaseStatus(word)
    except ValueError:
        return ReleaseStatus.OTHER

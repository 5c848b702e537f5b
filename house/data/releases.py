"""HelmReleases with the values that helm-controller puts together, and what the app-template makes of its `rawResources`.

Follows fluxcd/pkg/chartutil: the references of `valuesFrom` in their order, each merged over those before it; `values` over all of
them; and what has a targetPath over everything. Renders no chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from house.data.targets import NoTarget, put
from house.files import yamlfile
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid
from house.flux.data import data_of
from house.flux.objects import in_no_namespace
from house.flux.rendered import Rendered, RenderedObject

APP_TEMPLATE = "app-template"
_SOURCES = ("OCIRepository", "HelmRepository", "GitRepository", "HelmChart")
_RELEASE = re.compile(r"\{\{-?\s*\.Release\.(Name|Namespace)\s*-?\}\}")
_DEEPEST = 4
"""How often a release may make a release."""


@dataclass(frozen=True)
class Values:
    """A release's values, as far as Git shows them; `unseen` names the sources that it does not show. `without` are ConfigMaps that
    the release can do without and that nothing in Git makes: a house that is rebuilt has none either."""

    values: dict[str, Any]
    unseen: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class _Unseen(Exception):
    """A source of values that Git does not show, or that is none."""


class Releases:
    """The HelmReleases among these objects: each with what its chart and its values are, as far as Git shows it."""

    def __init__(self, rendered: Rendered) -> None:
        self._objects = rendered.objects
        self._sources = {(one.kind, one.namespace, one.name): one for one in rendered.objects if one.kind in _SOURCES}
        self._maps = {
            (one.kind, one.namespace, one.name): one
            for one in rendered.objects if one.kind in ("ConfigMap", "Secret") and not one.group
        }  # fmt: skip

    def of_app_template(self, release: RenderedObject) -> bool:
        """Whether this HelmRelease is of bjw-s' app-template."""
        return self.chart(release) == APP_TEMPLATE

    def chart(self, release: RenderedObject) -> str:
        """The name of its chart: the last part of its address."""
        return self.address(release).rstrip("/").rpartition("/")[2]

    def address(self, release: RenderedObject) -> str:
        """Its chart's address, as in `oci://ghcr.io/x/charts/cilium`; its bare name where Git does not show its source."""
        reference = mapping(release.spec.get("chartRef"))
        if reference:
            return self._source(release, reference) or str(reference.get("name") or "")
        spec = mapping(mapping(release.spec.get("chart")).get("spec"))
        base, name = self._source(release, mapping(spec.get("sourceRef"))).rstrip("/"), str(spec.get("chart") or "")
        return f"{base}/{name}" if base else name

    def version(self, release: RenderedObject) -> str:
        """Its chart's version as Git has it, a range too; "" where Git does not show it, or names it by a digest alone."""
        reference = mapping(release.spec.get("chartRef"))
        if reference:
            source = self._referred(release, reference)
            return _version(source) if source is not None else ""
        return str(mapping(mapping(release.spec.get("chart")).get("spec")).get("version") or "")

    def has_values_files(self, release: RenderedObject) -> bool:
        """Whether files beside its chart take the place of the chart's own values."""
        source = self._referred(release, mapping(release.spec.get("chartRef")))
        spec = source.spec if source is not None else mapping(mapping(release.spec.get("chart")).get("spec"))
        return bool(spec.get("valuesFiles"))

    def _source(self, release: RenderedObject, reference: Mapping[str, Any]) -> str:
        """The URL of what a release refers to, "" where Git does not show it."""
        source = self._referred(release, reference)
        return _url(source) if source is not None else ""

    def _referred(self, release: RenderedObject, reference: Mapping[str, Any]) -> RenderedObject | None:
        namespace = str(reference.get("namespace") or release.namespace)
        return self._sources.get((str(reference.get("kind") or ""), namespace, str(reference.get("name") or "")))

    def values(self, release: RenderedObject) -> Values:
        """What its chart is given."""
        merged: dict[str, Any] = {}
        targets: list[tuple[str, str, bool]] = []
        unseen: list[str] = []
        without: list[str] = []
        for reference in map(mapping, sequence(release.spec.get("valuesFrom"))):
            named = f"{reference.get('kind')} {reference.get('name')}"
            try:
                text = self._text(release, reference)
                if text is None:
                    continue
                if path := str(reference.get("targetPath") or ""):
                    put({}, path, text, literal=reference.get("literal") is True)
                    targets.append((path, text, reference.get("literal") is True))
                else:
                    merged = merge(merged, _read(text))
            except (_Unseen, NoTarget):
                (without if self._is_optional(release, reference) else unseen).append(named)
        merged = merge(merged, mapping(release.spec.get("values")))
        for path, text, literal in targets:
            merged = put(merged, path, text, literal=literal)
        return Values(merged, tuple(dict.fromkeys(unseen)), tuple(dict.fromkeys(without)))

    def _is_optional(self, release: RenderedObject, reference: Mapping[str, Any]) -> bool:
        """Whether it is a ConfigMap that need not be there and that nothing in Git makes. A Secret may come from a vault."""
        known = ("ConfigMap", release.namespace, str(reference.get("name"))) in self._maps
        return reference.get("kind") == "ConfigMap" and reference.get("optional") is True and not known

    def _text(self, release: RenderedObject, reference: Mapping[str, Any]) -> str | None:
        """The text that a reference names; None for an optional key that its map does not have."""
        found = self._maps.get((str(reference.get("kind")), release.namespace, str(reference.get("name"))))
        data = data_of(found) if found is not None else None
        if data is None:
            raise _Unseen
        text = data.get(str(reference.get("valuesKey") or "values.yaml"))
        if text is None and reference.get("optional") is not True:
            raise _Unseen
        return text

    def made(self) -> tuple[tuple[RenderedObject, ...], tuple[str, ...]]:
        """(what releases of the app-template make of their `rawResources`, keys of releases whose raw resources only they can
        name). A release among them is followed as well."""
        found: list[RenderedObject] = []
        odd: list[str] = []
        pending = [one for one in self._objects if is_release(one)]
        for _ in range(_DEEPEST):
            fresh = []
            for release in pending:
                if self.of_app_template(release):
                    for one in _raw(release, self.values(release).values):
                        if one is None:
                            odd.append(f"{release.namespace}/{release.name}")
                        else:
                            fresh.append(one)
            found += fresh
            pending = [one for one in fresh if is_release(one)]
        return tuple(found), tuple(dict.fromkeys(odd))


def everything(rendered: Rendered) -> Rendered:
    """All objects, what releases of the app-template make of their raw resources among them."""
    known = {(one.api, one.kind, one.namespace, one.name) for one in rendered.objects}  # what a chart was rendered to is there
    made = (one for one in Releases(rendered).made()[0] if (one.api, one.kind, one.namespace, one.name) not in known)
    return Rendered((*rendered.objects, *made), rendered.not_followed)


def is_release(one: RenderedObject) -> bool:
    """Whether this is Flux's HelmRelease."""
    return one.kind == "HelmRelease" and one.group.endswith("toolkit.fluxcd.io")


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings into each other; anything else of `over` takes the place of what is there."""
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merge(out[key], value) if both else value
    return out


def base_name(release: RenderedObject, values: dict[str, Any]) -> str:
    """What the app-template calls its objects after."""
    overrides = (mapping(values.get("global")).get("fullnameOverride"), values.get("fullnameOverride"))
    return str(next(filter(None, (*overrides, release.spec.get("releaseName"))), release.name))


def _raw(release: RenderedObject, values: dict[str, Any]) -> Iterator[RenderedObject | None]:
    """The objects of `rawResources`; None for one that only the chart can name. A whole manifest stands under `manifest`, or all
    but its head under `spec`."""
    items = {
        str(key): item for key, item in mapping(values.get("rawResources")).items()
        if isinstance(item, dict) and item.get("enabled", True) is not False
    }  # fmt: skip
    base = base_name(release, values)
    known = {"Name": base, "Namespace": release.namespace}
    for key, item in items.items():
        manifest, inner = mapping(item.get("manifest")), mapping(item.get("spec"))
        body = manifest or {"apiVersion": item.get("apiVersion"), "kind": item.get("kind")}
        body |= {} if manifest else inner if "spec" in inner else {"spec": inner}
        if not body.get("kind"):
            continue
        own = item.get("suffix") or item.get("nameOverride") or key
        named = str(item.get("forceRename") or "") or (base if len(items) == 1 else f"{base}-{own}")
        name = _RELEASE.sub(lambda part: known[part[1]], named)
        if "{{" in name:
            yield None
            continue
        yield _object(release, body, name)


def _object(release: RenderedObject, body: dict[str, Any], name: str) -> RenderedObject:
    api, kind, metadata = str(body.get("apiVersion") or ""), str(body["kind"]), mapping(body.get("metadata"))
    elsewhere = "" if in_no_namespace(api.rpartition("/")[0], kind) else release.namespace
    namespace = str(metadata.get("namespace") or "") or elsewhere
    body = body | {"metadata": metadata | {"name": name}}
    return RenderedObject(api, kind, namespace, name, body, release.kustomization, release.file, release.line)


@lru_cache(maxsize=256)  # four readers ask for the same values while a house is loaded; they are read, never changed
def _read(text: str) -> dict[str, Any]:
    try:
        found = yamlfile.value(text)
    except YamlInvalid as error:
        raise _Unseen from error
    if found is not None and not isinstance(found, dict):
        raise _Unseen
    return found or {}


def _version(one: RenderedObject) -> str:
    """Of an OCIRepository its range, which Flux takes before a tag; which version a digest beside them is, nobody here knows."""
    reference = mapping(one.spec.get("ref"))
    return str(reference.get("semver") or reference.get("tag") or one.spec.get("version") or "")


def _url(one: RenderedObject) -> str:
    return str(one.spec.get("url") or one.spec.get("chart") or "")

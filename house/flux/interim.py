"""Objects of the walked graph as rendered ones: what kustomize changes is not in them yet."""

from __future__ import annotations

from typing import Any

from house.flux.rendered import Rendered, RenderedObject
from house.fluxgraph import Applied
from house.kustomize import Found


def rendered(graph: list[Applied]) -> Rendered:
    """Every object of the graph with its variables filled in."""
    return Rendered(tuple(_object(applied, found) for applied in graph for found in applied.objects))


def _object(applied: Applied, found: Found) -> RenderedObject:
    missing: dict[str, None] = {}

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            done = applied.text(value)
            missing.update(dict.fromkeys(done.missing))
            return done.text
        if isinstance(value, dict):
            return {str(filled(key)): filled(item) for key, item in value.items()}
        return [filled(item) for item in value] if isinstance(value, list) else value

    return RenderedObject(
        api=found.api,
        kind=found.kind,
        namespace=applied.namespace_of(found),
        name=str(filled(found.name)),
        body=filled(found.body),
        kustomization=applied.app.key,
        file=found.file,
        line=found.line,
        missing=tuple(missing),
    )

"""What Flux adds to the kustomization of a path before it builds it. Knows no file.

Source: fluxcd/pkg/kustomize, the generator: it writes into the folder's own kustomization, so that patches which stand there
change what a component of the Flux Kustomization brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from house.files.shapes import mapping, sequence

_SET = (("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix"))
_ADDED = ("components", "patches")


def overlaid(kustomization: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The kustomization as Flux builds it for a Kustomization of this spec. Every object then says which file it is from."""
    made = dict(kustomization)
    for theirs, ours in _SET:
        if spec.get(theirs):
            made[ours] = spec[theirs]
    for key in _ADDED:
        if sequence(spec.get(key)):
            made[key] = [*sequence(made.get(key)), *sequence(spec[key])]
    images = sequence(spec.get("images"))
    if images:
        replaced = {mapping(image).get("name") for image in images}
        kept = [image for image in sequence(made.get("images")) if mapping(image).get("name") not in replaced]
        made["images"] = [*kept, *images]
    made["buildMetadata"] = list(dict.fromkeys([*sequence(made.get("buildMetadata")), "originAnnotations"]))
    return made

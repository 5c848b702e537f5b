"""Custom resource definitions between their objects and our words: what is noted on those we apply, and whose they are now."""

from __future__ import annotations

from adapters.helm.results import Crd
from adapters.kubernetes.client import FIELD_MANAGER
from adapters.kubernetes.objects import Obj, condition, dig, name_of, owners, rows, table, text
from adapters.kubernetes.results import CrdState
from engine.text.jsontext import an_object, read

# On the object itself, in the same write: a note elsewhere could outlive what it tells of.
MARK = "blackstart/crd"


def noted(crd: Crd) -> Obj:
    """The object to apply, with its chart and digest noted on it."""
    obj: Obj = read(crd.document, an_object)
    annotations = table(obj, "metadata", "annotations") | {MARK: f"{crd.chart} {crd.digest}"}
    return obj | {"metadata": table(obj, "metadata") | {"annotations": annotations}}


def crd_state(obj: Obj) -> CrdState:
    """What the API has under this name."""
    chart, _, digest = str(dig(obj, "metadata", "annotations", MARK) or "").partition(" ")
    established = condition(obj, "Established")
    # A name that is taken by another definition stays so until a person looks: that condition says it best.
    why = next((c for c in (condition(obj, "NamesAccepted"), established) if c.get("status") != "True"), {})
    return CrdState(
        name=name_of(obj),
        established=established.get("status") == "True",
        served=tuple(text(version, "name") for version in rows(obj, "spec", "versions") if version.get("served")),
        # Operators and cainjectors write a certificate into `spec.conversion`: the versions are what is kept.
        keepers=tuple(name for name in owners(obj, "spec", "versions") if name != FIELD_MANAGER),
        chart=chart,
        digest=digest,
        leaving=dig(obj, "metadata", "deletionTimestamp") is not None,
        detail=": ".join(part for part in (text(why, "reason"), text(why, "message")) if part),
    )

"""Reading what the API answers: typed looks into nested dictionaries. Knows the shape of objects, never how they are fetched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Obj = dict[str, Any]


def dig(obj: Mapping[str, Any], *path: str) -> Any:
    """The value at this path of keys, or None when a key on the way is missing."""
    here: Any = obj
    for key in path:
        if not isinstance(here, Mapping):
            return None
        here = here.get(key)
    return here


def text(obj: Mapping[str, Any], *path: str) -> str:
    """The string at this path, "" when there is none; numbers come as their digits."""
    value = dig(obj, *path)
    return "" if value is None else str(value)


def number(obj: Mapping[str, Any], *path: str) -> int:
    """The whole number at this path, 0 when there is none."""
    value = dig(obj, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def table(obj: Mapping[str, Any], *path: str) -> Obj:
    """The mapping at this path, an empty one when there is none."""
    value = dig(obj, *path)
    return dict(value) if isinstance(value, Mapping) else {}


def rows(obj: Mapping[str, Any], *path: str) -> list[Obj]:
    """The mappings of the list at this path, an empty list when there is none."""
    value = dig(obj, *path)
    return [dict(v) for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def name_of(obj: Mapping[str, Any]) -> str:
    """`metadata.name`."""
    return text(obj, "metadata", "name")


def namespace_of(obj: Mapping[str, Any]) -> str:
    """`metadata.namespace`."""
    return text(obj, "metadata", "namespace")


def of_volsync(obj: Mapping[str, Any]) -> bool:
    """Whether VolSync made it for one of its own runs."""
    return table(obj, "metadata", "labels").get("app.kubernetes.io/created-by") == "volsync"


def condition(obj: Mapping[str, Any], kind: str) -> Obj:
    """The status condition of this type; an empty mapping when there is none."""
    return next((c for c in rows(obj, "status", "conditions") if c.get("type") == kind), {})


def seconds(stamp: str) -> float:
    """An RFC 3339 time as seconds since the epoch, 0.0 for "" and for what is no time."""
    try:
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() if stamp else 0.0
    except ValueError:
        return 0.0


def micro_stamp(when: float) -> str:
    """Seconds since the epoch as the API's MicroTime (RFC 3339 with six digits, UTC)."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def owns(obj: Mapping[str, Any], manager: str, *path: str) -> bool:
    """Whether this field manager owns the field at `path` (managedFields v1: keys are written `f:<name>`)."""
    for entry in rows(obj, "metadata", "managedFields"):
        if entry.get("manager") == manager and dig(table(entry, "fieldsV1"), *(f"f:{key}" for key in path)) is not None:
            return True
    return False


def owners(obj: Mapping[str, Any], *path: str) -> tuple[str, ...]:
    """Every field manager that owns the field at `path`, in the order of managedFields."""
    names = (text(entry, "manager") for entry in rows(obj, "metadata", "managedFields"))
    return tuple(dict.fromkeys(name for name in names if owns(obj, name, *path)))

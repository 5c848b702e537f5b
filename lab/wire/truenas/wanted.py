"""What each method takes, as the models of the API say it, and what is wrong with what it was given. Knows no box and no answer.

Names and types only: what is deeper than an option's own type is looked at by who reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SAID = {str: "string", int: "integer", bool: "boolean", list: "list", dict: "dictionary"}


@dataclass(frozen=True)
class Wanted:
    """One parameter; `kind` None where it may be of several types."""

    name: str
    kind: type | None
    required: bool = True


_QUERY = (Wanted("filters", list, required=False), Wanted("options", dict, required=False))
_ONE = (Wanted("id", int), Wanted("options", dict, required=False))
_OPTIONS: dict[str, type] = {
    "extra": dict, "order_by": list, "select": list, "count": bool, "get": bool, "offset": int, "limit": int,
    "force_sql_filters": bool, "relationships": bool, "prefix": str, "extend": str, "extend_context": str,
}  # fmt: skip
_TAKES: dict[str, tuple[Wanted, ...]] = {
    "auth.login_ex": (Wanted("login_data", dict),),
    "auth.login_with_api_key": (Wanted("api_key", str),),
    "auth.login": (Wanted("username", str), Wanted("password", str), Wanted("otp_token", None, required=False)),
    "core.set_options": (Wanted("options", dict),),
    "core.subscribe": (Wanted("event", str),),
    "core.unsubscribe": (Wanted("id_", str),),
    "core.job_wait": (Wanted("id", int),),
    "config.save": (Wanted("options", dict, required=False),),
    "pool.dataset.encryption_summary": (Wanted("id", str), Wanted("options", dict, required=False)),
    "pool.dataset.get_instance": (Wanted("id", str), Wanted("options", dict, required=False)),
    "disk.temperatures": (Wanted("name", list, required=False), Wanted("options", None, required=False)),
    "service.started": (Wanted("service", str),),
    "filesystem.stat": (Wanted("path", str),),
    "filesystem.statfs": (Wanted("path", str),),
    "filesystem.listdir": (Wanted("path", str), *_QUERY),
    "zfs.resource.snapshot.query": (Wanted("data", dict, required=False),),
    "smb.status": tuple(Wanted(name, None, required=False) for name in ("info_level", "filters", "options", "status_options")),
    "system.ready": (), "system.state": (),
}  # fmt: skip


def takes(name: str, *, query: bool) -> tuple[Wanted, ...]:
    """The parameters of a method, in their order."""
    if name in _TAKES:
        return _TAKES[name]
    return _QUERY if query else _ONE if name.endswith(".get_instance") else ()


def wrong(name: str, params: list[Any], *, query: bool) -> Iterator[tuple[str, str]]:
    """(attribute, message) of each thing that is wrong with a call's parameters, in the words of the server's own models."""
    wanted = takes(name, query=query)
    if len(params) > len(wanted):
        yield "", f"Too many arguments (expected {len(wanted)}, found {len(params)})"
        return
    for at, one in enumerate(wanted):
        if at >= len(params):
            if one.required:
                yield one.name, "Field required"
        elif one.kind is not None and not _is(params[at], one.kind):
            yield one.name, f"Input should be a valid {_SAID[one.kind]}"
        elif one.name == "options" and query:
            yield from _wrong_options(params[at])


def _wrong_options(options: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in options.items():
        kind = _OPTIONS.get(key)
        if kind is None:
            yield f"options.{key}", "Extra inputs are not permitted"
        elif value is not None and not _is(value, kind):
            yield f"options.{key}", f"Input should be a valid {_SAID[kind]}"
    for at, key in enumerate(options["order_by"] if isinstance(options.get("order_by"), list) else ()):
        if not isinstance(key, str):
            yield f"options.order_by.{at}", "Input should be a valid string"
    for at, key in enumerate(options["select"] if isinstance(options.get("select"), list) else ()):
        pair = isinstance(key, list) and len(key) == 2 and all(isinstance(each, str) for each in key)
        if not pair and not isinstance(key, str):
            yield f"options.select.{at}", "Input should be a valid string"


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of this type: true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))

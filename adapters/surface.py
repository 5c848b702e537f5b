"""Which methods of a port look and which change: read off the Protocols of adapters/ports.py. Knows no door.

`read_only` turns the bundle of full ports into one that a probe may have: a mutation inside a look is a type error to mypy,
and refused here at run time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Protocol, cast, get_type_hints

from adapters.context import ActContext, LookContext


class MutationRefused(RuntimeError):
    """A look tried to change something: a bug of ours, never an answer."""


@dataclass(frozen=True)
class Surface:
    """One port: the names of its looks and of its mutations, and the Protocol that says their signatures."""

    name: str
    protocol: type
    looks: frozenset[str]
    mutations: frozenset[str]


@cache
def surfaces() -> dict[str, Surface]:
    """Every port of the two contexts, by field name."""
    full, views = get_type_hints(ActContext), get_type_hints(LookContext)
    return {
        name: surface(name, full[name], view)
        for name, view in views.items()
        if name != "clock" and getattr(view, "_is_protocol", False)
    }


def surface(name: str, full: type, view: type) -> Surface:
    """What the Protocol `full` adds to the Protocol `view` are mutations."""
    looks = _methods(view)
    return Surface(name, full, looks, _methods(full) - looks)


def _methods(protocol: type) -> frozenset[str]:
    return frozenset(
        name
        for base in protocol.__mro__
        if base not in (object, Protocol) and getattr(base, "_is_protocol", False)
        for name, value in vars(base).items()
        if callable(value) and not name.startswith("_")
    )


def read_only(act: ActContext) -> LookContext:
    """The same ports, with nothing but their looks: everything else raises MutationRefused."""
    guarded = {name: _ReadOnly(getattr(act, name), known) for name, known in surfaces().items()}
    others = {f.name: getattr(act, f.name) for f in fields(LookContext) if f.name not in guarded}
    return LookContext(**cast("dict[str, object]", {**others, **guarded}))  # type: ignore[arg-type]  # proxies by name


class _ReadOnly:
    """A port with only its looks."""

    def __init__(self, door: object, known: Surface) -> None:
        self._door = door
        self._known = known

    def __getattr__(self, name: str) -> object:
        if name in self._known.looks:
            return getattr(self._door, name)
        raise MutationRefused(f"{self._known.name}.{name} is not for looking")

"""The validated set of steps and checks, and what needs what. Knows no journal and runs nothing.

A need is an id, a pattern such as `talos.apply-config/*`, `if_any(pattern)` where nothing may match, `all_but(pattern, …)`, or
`excusing(pattern, causes)`, which is waited for and may have failed for those causes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import translate
from graphlib import CycleError, TopologicalSorter
from typing import Generic, TypeGuard, TypeVar

from engine.errors import GraphInvalid
from engine.step import BUT_NOT, EXCUSING, IF_ANY, Check, Step, StepId

Look = TypeVar("Look")
Act = TypeVar("Act")

_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9.-]+(/[^\s*?\[\]]+)?")
_WILD = re.compile(r"[*?\[]")


class Graph(Generic[Look, Act]):
    """Steps and checks in a stable order in which every need comes first. Raises GraphInvalid with everything that is wrong."""

    def __init__(self, items: Iterable[Step[Look, Act] | Check[Look]]) -> None:
        given = list(items)
        problems = [f"{item.id!r} is not of the form area.verb/instance" for item in given if not _ID.fullmatch(item.id)]
        problems += [f"{name} stands {count} times" for name, count in Counter(i.id for i in given).items() if count > 1]
        by_id: dict[StepId, Step[Look, Act] | Check[Look]] = {item.id: item for item in given}
        names = _Names(by_id)
        needs: dict[StepId, tuple[StepId, ...]] = {}
        excused: dict[tuple[StepId, StepId], frozenset[StepId]] = {}
        for item in given:
            found: dict[StepId, None] = {}
            for need in item.needs:
                wanted, _, causes = need.partition(EXCUSING)
                matching = names.meant(wanted)
                if not matching and not need.startswith(IF_ANY):
                    problems.append(f"{item.id} needs {need}, and there is no such step")
                found.update(dict.fromkeys(matching))
                excused |= {(item.id, name): frozenset(names.matching(causes)) for name in matching if causes}
            needs[item.id] = tuple(found)
        if problems:
            raise GraphInvalid("the steps do not make a graph", evidence=tuple(problems))
        self._needs = needs
        self._excused = excused
        self._items = {name: by_id[name] for name in _ordered(needs)}
        self._ids = tuple(self._items)
        needed_by: dict[StepId, list[StepId]] = {name: [] for name in self._items}
        for name in self._items:
            for need in needs[name]:
                needed_by[need].append(name)
        self._needed_by = {name: tuple(users) for name, users in needed_by.items()}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Step[Look, Act] | Check[Look]]:
        return iter(self._items.values())

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __getitem__(self, name: StepId) -> Step[Look, Act] | Check[Look]:
        return self._items[name]

    @property
    def ids(self) -> tuple[StepId, ...]:
        """All ids, needs first."""
        return self._ids

    def needs(self, name: StepId) -> tuple[StepId, ...]:
        """What this one needs, patterns resolved."""
        return self._needs[name]

    def failing(self, name: StepId, causes: Mapping[StepId, Collection[StepId]]) -> tuple[StepId, ...]:
        """Of what this one needs, that which keeps it back, given the root causes of each that did not end well."""
        return tuple(
            need for need in self._needs[name] if need in causes and not set(causes[need]) <= self._excused.get((name, need), set())
        )

    def stops_a_step(self, name: StepId) -> bool:
        """Whether any step hangs on this one, directly or through others."""
        seen: set[StepId] = set()
        ahead = [name]
        while ahead:
            for user in self._needed_by[ahead.pop()]:
                if is_step(self._items[user]):
                    return True
                if user not in seen:
                    seen.add(user)
                    ahead.append(user)
        return False

    def needed_by(self, name: StepId) -> tuple[StepId, ...]:
        """What needs this one directly."""
        return self._needed_by[name]


def is_step(item: Step[Look, Act] | Check[Look]) -> TypeGuard[Step[Look, Act]]:
    """Whether the item can be applied; otherwise it is a check."""
    return hasattr(item, "apply")


def is_check(item: Step[Look, Act] | Check[Look]) -> TypeGuard[Check[Look]]:
    """The other way round (a TypeGuard narrows one way only)."""
    return not hasattr(item, "apply")


class _Names:
    """Finds ids by pattern without trying every id for every pattern."""

    def __init__(self, ids: Iterable[StepId]) -> None:
        self._all = frozenset(ids)
        self._sorted = sorted(self._all)
        self._found: dict[str, tuple[StepId, ...]] = {}
        self._meant: dict[str, tuple[StepId, ...]] = {}

    def meant(self, need: str) -> tuple[StepId, ...]:
        """The ids that a need names, whatever its kind."""
        if need not in self._meant:
            pattern, *others = need.removeprefix(IF_ANY).split(BUT_NOT)
            left_out = {name for other in others for name in self.matching(other)}
            self._meant[need] = tuple(name for name in self.matching(pattern) if name not in left_out)
        return self._meant[need]

    def matching(self, need: str) -> tuple[StepId, ...]:
        """The ids that fit, sorted; none when nothing does."""
        wild = _WILD.search(need)
        if wild is None:
            return (StepId(need),) if need in self._all else ()
        if need not in self._found:
            head = need[: wild.start()]
            fits = re.compile(translate(need)).match
            first = bisect_left(self._sorted, head)
            found: list[StepId] = []
            for name in self._sorted[first:]:
                if not name.startswith(head):
                    break
                if fits(name):
                    found.append(name)
            self._found[need] = tuple(found)
        return self._found[need]


def _ordered(needs: Mapping[StepId, tuple[StepId, ...]]) -> tuple[StepId, ...]:
    """As given where that puts every need first (a course usually does), else by graphlib; a cycle is named whole."""
    place = {name: at for at, name in enumerate(needs)}
    if all(place[need] < at for at, name in enumerate(needs) for need in needs[name]):
        return tuple(needs)
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        cycle: list[StepId] = error.args[1]
        raise GraphInvalid(
            "the steps need each other in a circle", evidence=(" → ".join(reversed(cycle)),), hint="read: each needs the next"
        ) from None

"""In which order applications start and stop: what one waits for, by dependsOn, starts before it and stops after it."""

from __future__ import annotations

from collections.abc import Mapping

from house.model import BackedUpClaim, House


def waited_for(house: House, claims: tuple[BackedUpClaim, ...]) -> Mapping[str, tuple[BackedUpClaim, ...]]:
    """For each claim (by key) those of the others whose Kustomization its own one waits for, through any number of others.

    A ring, which Flux would never get through, waits for nobody in it.
    """
    direct = {app.key: app.depends_on for app in house.flux_apps}
    behind = {key: _behind(direct, key) for key in direct}

    def after(one: BackedUpClaim, other: BackedUpClaim) -> bool:
        waits = other.flux_app in behind.get(one.flux_app, frozenset())
        return waits and one.flux_app not in behind.get(other.flux_app, frozenset())

    return {one.key: tuple(other for other in claims if other is not one and after(one, other)) for one in claims}


def in_order(house: House, claims: tuple[BackedUpClaim, ...]) -> tuple[BackedUpClaim, ...]:
    """The same claims, those of applications that others wait for before theirs; else as they were."""
    waits = waited_for(house, claims)
    done: dict[str, BackedUpClaim] = {}
    left = list(claims)
    while left:  # waited_for knows no ring: one is always free
        one = next(claim for claim in left if all(other.key in done for other in waits[claim.key]))
        left.remove(one)
        done[one.key] = one
    return tuple(done.values())


def _behind(direct: Mapping[str, tuple[str, ...]], key: str) -> frozenset[str]:
    found: set[str] = set()
    left = list(direct.get(key, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += direct.get(one, ())
    return frozenset(found)

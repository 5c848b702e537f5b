"""Who waits for whom, by dependsOn: directly, through others, and in a ring that Flux would never get through."""

from __future__ import annotations

from cluster.order import in_order, waited_for
from tests.builders import a_claim, a_house, an_app


def names(*apps: tuple[str, ...]) -> dict[str, list[str]]:
    """For each application that has a claim (all but those called *plain*) the claims that it waits for."""
    declared = tuple(an_app(name, *(f"apps/{other}" for other in others)) for name, *others in apps)
    claims = tuple(a_claim(name) for name, *_ in apps if not name.startswith("plain"))
    house = a_house(flux_apps=declared, claims=claims)
    return {key: [one.claim for one in waits] for key, waits in waited_for(house, claims).items()}


def test_one_that_waits_directly_or_through_others_comes_after() -> None:
    found = names(("db",), ("plain", "db"), ("web", "plain"), ("alone",))
    assert found == {"apps/db": [], "apps/web": ["db"], "apps/alone": []}


def test_a_ring_and_what_nobody_declared_keep_nobody_waiting() -> None:
    assert names(("a", "b"), ("b", "a"), ("c", "nobody", "a")) == {"apps/a": [], "apps/b": [], "apps/c": ["a", "b"]}


def test_claims_come_in_the_order_in_which_they_are_waited_for_and_else_stay_as_they_were() -> None:
    apps = (an_app("web", "apps/db"), an_app("alone"), an_app("db"), an_app("ring", "apps/round"), an_app("round", "apps/ring"))
    claims = tuple(a_claim(name) for name in ("web", "alone", "ring", "round", "db"))
    ordered = in_order(a_house(flux_apps=apps, claims=claims), claims)
    assert [claim.claim for claim in ordered] == ["alone", "ring", "round", "db", "web"]

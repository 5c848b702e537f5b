"""A Git server inside the cluster that Flux is to build from it."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.needs import host_of

NAME = "git-inside"
_WHY = "a cluster that is built anew has nothing to build from: what would serve it is in there"
_INSTEAD = "let Flux pull from a place outside (a mirror that you push to, a bare repository on another machine)"


def _find(given: Given) -> Iterator[Finding]:
    flux = given.house.flux
    host = host_of(flux.url)
    where = _declared_in(given)
    if server := given.inside.of(host):
        told = f"Flux pulls {flux.url}, which {server.told} serves ({server.declared_in or 'in the cluster'})"
        yield Finding(NAME, Weight.PARADOX, flux.url, told, where, _WHY, _INSTEAD)
    elif server := given.inside.maybe(host):
        told = f"Flux pulls {flux.url}, which {server.told} may serve ({server.declared_in})"
        yield Finding(NAME, Weight.UNKNOWN, flux.url, told, where, _WHY, f"look whether it does; if so, {_INSTEAD}")


def _declared_in(given: Given) -> str:
    """Where Git says so, else the settings."""
    sources = given.objects("source.toolkit.fluxcd.io", "GitRepository")
    said = next((one for one in sources if one.name == given.house.flux.name), None)
    return said.declared_in if said is not None else given.said_at("git", "url")


RULE = Rule(NAME, "Is the Git server that Flux pulls from in the cluster that Flux builds?", _find)

"""Images and charts whose registry is only to be reached through the cluster: in it, or behind its tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.needs import host_of
from cluster.lint.pods import containers

NAME = "images-inside"


def _find(given: Given) -> Iterator[Finding]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in containers(given):
        _add(given, found, one.image, one.owner, one.declared_in)
    for source in given.objects("source.toolkit.fluxcd.io", "OCIRepository", "HelmRepository"):
        _add(given, found, str(source.spec.get("url") or ""), f"{source.kind} {source.namespace}/{source.name}", source.declared_in)
    for release in given.house.releases:
        _add(given, found, release.chart, f"release {release.key}", given.house.helmfile.name)
    for host, users in found.items():
        sure = given.inside.of(host)
        server = sure or given.inside.maybe(host)
        assert server is not None  # nothing else was added
        more = f", and {len(users) - 1} more" if len(users) > 1 else ""
        serves = "serves" if sure else "may serve"
        yield Finding(
            NAME, Weight.PARADOX if sure else Weight.UNKNOWN, f"registry {host}",
            f"{users[0][0]}{more} pulls from {host}, which {server.told} {serves}", users[0][1],
            "an empty cluster pulls from a registry that it would have to run first, or to open a tunnel to",
            "pull from where it was built, or keep the registry on a machine outside; what starts it must not come from it",
        )  # fmt: skip


def _add(given: Given, found: dict[str, list[tuple[str, str]]], place: str, user: str, where: str) -> None:
    host = host_of(place)
    if host and "${" not in host and (given.inside.of(host) or given.inside.maybe(host)) is not None:
        users = found.setdefault(host, [])
        if (user, where) not in users:
            users.append((user, where))


RULE = Rule(NAME, "Does anything pull its image from a registry that the cluster serves?", _find)

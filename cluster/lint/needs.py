"""What each stage of a run needs, where that is, and who provides it: out of settings and Git, without asking anybody.

A stage is a part of a run that can succeed or fail by itself. A name is taken to be on the internet unless it is a NAS of the
settings, a private address or a name that only a home network knows: nothing is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from cluster.lint.given import Given
from cluster.lint.inside import HOME, host_in
from house.files import yamlfile
from house.files.grammar import address_of
from house.files.problems import shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid
from house.model import BackedUpClaim, CrdForm, SecretRef
from house.repository.backups.hints import mover_mounts
from house.repository.talconfigs.machine import Tells
from house.values.nas import Nas
from house.values.sources import KOPIA

_TALOS_TIME = "time.cloudflare.com"
"""What Talos asks where nothing is said."""
_REGISTRIES = ("ghcr.io", "registry.k8s.io")
"""Where Talos' own images and those of Kubernetes are, unless a mirror of the machines has them."""
_STORE = re.compile(r"[a-z0-9]+:")
_CLOUDS = ("b2:", "gs:", "azure:")
"""Stores of restic's that name a bucket and no host."""


class Stage(Enum):
    """What a run does with it."""

    HOSTS = "hosts"
    IMAGE = "image"
    MACHINES = "machines"
    RELEASES = "releases"
    FLUX = "Flux"
    SECRETS = "Secrets"
    BACKUPS = "backups"


class Means(Enum):
    """Who provides it."""

    HERE = "this machine"
    HOSTS = "the Proxmox hosts"
    NETWORK = "the home network"
    NAS = "a NAS"
    INTERNET = "the internet"
    VAULT = "a cloud vault"
    INSIDE = "the cluster itself"
    UNTOLD = "nobody says who"


@dataclass(frozen=True)
class Need:
    """One thing that a stage needs. `host` is where it is asked for, "" for a file; `of` the NAS or store that provides it.

    `item` is one of many that a run can do without: a claim or database with its backup. `any_of`: needs of the same name stand
    for each other, as resolvers do, and the places of one backup. `audited` is True for what is looked at and never brought back.
    """

    stage: Stage
    what: str
    means: Means
    declared_in: str
    host: str = ""
    of: str = ""
    item: str = ""
    any_of: bool = False
    audited: bool = False


def needs_of(given: Given) -> tuple[Need, ...]:
    """Every need, each once, in the order of the stages."""
    stages = (_hosts, _image, _machines, _releases, _flux, _secrets, _backups)
    return tuple(dict.fromkeys(need for stage in stages for need in stage(given)))


def host_of(place: str) -> str:
    """The host in a URL, a restic repository (`s3:https://…`, `sftp:user@host:/…`, `rest:https://…`) or an image's name; "" for
    none, as for a path of this machine."""
    text = place.removeprefix("s3:").removeprefix("rest:").removeprefix("swift:")
    if text.startswith("sftp:") and not text.startswith("sftp://"):
        head = text.removeprefix("sftp:").partition("/")[0].rpartition("@")[2]
        return head[1:].partition("]")[0] if head.startswith("[") else head.partition(":")[0]
    if "://" in text:
        return host_in(text)
    if text.startswith("git@"):
        return text.partition("@")[2].partition(":")[0]
    head = text.partition("/")[0]
    return "" if text.startswith(("/", "./", "~")) or "." not in head else head.partition(":")[0]


def means_of(given: Given, host: str) -> tuple[Means, str]:
    """Who provides what is asked for at this host, and its name where the settings give it one."""
    if not host:
        return Means.HERE, ""
    for nas in given.house.nas:
        if host.lower().rstrip(".") in nas.names:
            return Means.NAS, nas.name
    if (server := given.inside.of(host)) is not None:
        return Means.INSIDE, server.told
    address = address_of(host)
    if address is not None:
        return (Means.NETWORK if address.is_private or address.is_link_local else Means.INTERNET), ""
    if "${" in host:
        return Means.UNTOLD, ""
    name = host.lower().rstrip(".")
    return (Means.NETWORK if name.endswith(HOME) or "." not in name else Means.INTERNET), ""


def _need(given: Given, stage: Stage, what: str, host: str, declared_in: str, item: str = "", *, any_of: bool = False) -> Need:
    means, of = means_of(given, host)
    return Need(stage, what, means, declared_in, host, of, item, any_of)


def _secret(given: Given, stage: Stage, what: str, secret: SecretRef, declared_in: str) -> Iterator[Need]:
    """Where a reference is had from: a file if any source is one; a cloud vault only where nothing else is named."""
    kinds = [source.partition(":")[0] for source in secret.sources]
    kept = "file" in kinds or "sops" in kinds
    means = Means.HERE if kept else Means.UNTOLD if "env" in kinds else Means.VAULT
    if kinds:
        yield Need(stage, what, means, declared_in, "", "1Password" if means is Means.VAULT else "")


def _hosts(given: Given) -> Iterator[Need]:
    access = given.house.proxmox
    for index, endpoint in enumerate(access.endpoints):
        where = given.said_at("proxmox", "endpoints", index, "url")
        host = host_of(endpoint.url)
        means, of = means_of(given, host)
        yield Need(Stage.HOSTS, "Proxmox", Means.HOSTS if means is not Means.INSIDE else means, where, host, of)
    yield from _secret(given, Stage.HOSTS, "Proxmox's token", access.token_secret, given.said_at("proxmox", "token", "secret"))
    for nas in given.house.nas:
        if nas.exports or nas.datasets:
            yield from _secret(given, Stage.HOSTS, f"the API key of NAS {nas.name}", nas.api_key, given.said_at("nas", nas.name))


def _image(given: Given) -> Iterator[Need]:
    for url, where in given.fetched_images():
        yield _need(given, Stage.IMAGE, "the Talos image", host_of(url), where)


def _machines(given: Given) -> Iterator[Need]:
    house = given.house
    talconfig = shown(house.cluster.talconfig, house.root)
    yield from _secret(given, Stage.MACHINES, "the age key", house.age_key, given.said_at("sops", "age_key"))
    mirrored = {s.of for s in house.machine if s.tells in (Tells.MIRROR, Tells.ONLY_MIRROR)}
    for host in _REGISTRIES:
        if host not in mirrored and "*" not in mirrored:
            yield _need(given, Stage.MACHINES, "images of Talos and Kubernetes", host, talconfig)
    if not any(setting.tells is Tells.TIME for setting in house.machine):
        yield _need(given, Stage.MACHINES, "the time", _TALOS_TIME, talconfig)
    for setting in house.machine:
        host = host_of(setting.value) or setting.value
        if setting.tells in (Tells.MIRROR, Tells.ONLY_MIRROR):
            yield _need(given, Stage.MACHINES, f"images of {setting.of}, from a mirror", host, setting.declared_in)
        elif setting.tells is Tells.NAMESERVER:
            yield _need(given, Stage.MACHINES, "names (DNS)", setting.value, setting.declared_in, any_of=True)
        elif setting.tells is Tells.TIME:
            yield _need(given, Stage.MACHINES, "the time", setting.value, setting.declared_in, any_of=True)


def _releases(given: Given) -> Iterator[Need]:
    house = given.house
    for file in (house.helmfile, *([house.crd_helmfile] if house.crd_helmfile is not None else ())):
        servers = chart_servers(file)
        name = shown(file, house.root)
        for release in house.releases if file == house.helmfile else house.crd_charts:
            alias = release.chart.partition("/")[0]
            place = servers.get(alias, "") if "://" not in release.chart else release.chart
            if host := host_of(place):
                yield _need(given, Stage.RELEASES, "charts of the helmfile", host, name)
    for source in house.crd_sources:
        if source.form is CrdForm.URL:
            where = given.said_at("bootstrap", "crds")
            yield _need(given, Stage.RELEASES, f"definitions {source.key}", host_of(source.place), where)
    for secret in house.secrets:
        for key, reference in secret.keys:
            what = f"{key} of Secret {secret.key}"
            yield from _secret(given, Stage.RELEASES, what, reference, given.said_at("bootstrap", "secrets"))


def chart_servers(file: Path) -> dict[str, str]:
    """Alias → URL of a helmfile's chart repositories."""
    return dict(_repositories(file))


def _repositories(file: Path) -> Iterator[tuple[str, str]]:
    """Alias and URL of a helmfile's chart repositories; none of a file that is not there or not YAML."""
    try:
        documents = yamlfile.load(file)
    except YamlInvalid:
        return
    for document in documents:
        for item in sequence(mapping(document.value).get("repositories")):
            url = str(mapping(item).get("url") or "")
            yield str(mapping(item).get("name")), url if "://" in url else f"oci://{url}"


def _flux(given: Given) -> Iterator[Need]:
    flux = given.house.flux
    if flux.url:
        yield _need(given, Stage.FLUX, "Git", host_of(flux.url), given.said_at("git"))
    for one in given.rendered.objects:
        if one.group == "source.toolkit.fluxcd.io" and one.kind in ("HelmRepository", "OCIRepository", "GitRepository", "Bucket"):
            url = str(one.spec.get("url") or one.spec.get("endpoint") or "")
            untold = url.rpartition("://")[2].partition("/")[0] if "${" in url else ""
            if host := host_of(url) or untold:
                yield _need(given, Stage.FLUX, "charts and sources of Flux", host, one.declared_in)


def _secrets(given: Given) -> Iterator[Need]:
    for store in given.stores.used:
        if store.cloud:
            yield Need(Stage.SECRETS, f"Secrets by {store.told}", Means.VAULT, store.declared_in, "", store.cloud)
        elif store.server:
            yield _need(given, Stage.SECRETS, f"Secrets by {store.told}", host_of(store.server) or store.server, store.declared_in)


def _backups(given: Given) -> Iterator[Need]:
    house = given.house
    for whole in (*house.claims, *house.kopia):
        for claim in whole.sources:
            if claim.open_as or claim.mover_repository:
                yield replace(_of_backup(given, claim), audited=claim.engine == KOPIA)
            yield from _secret(given, Stage.BACKUPS, "passwords of backups", claim.password, given.said_at("backups"))
            for name, reference in claim.environment:
                yield from _secret(given, Stage.BACKUPS, f"{name} of backups", reference, given.said_at("backups"))
    for archive in house.archives:
        if archive.place:
            where = given.said_at("backups", "databases", archive.key)
            yield _need(given, Stage.BACKUPS, "archives of databases", host_of(archive.place), where, archive.key, any_of=True)


def _of_backup(given: Given, claim: BackedUpClaim) -> Need:
    """Where one place of a claim's backups is; on a NAS of the settings where movers mount it from there."""
    on = nas_of(given, claim)
    if on is not None:
        return Need(Stage.BACKUPS, "backups", Means.NAS, claim.declared_in, on.host, on.name, claim.key, any_of=True)
    place = claim.open_as or claim.mover_repository
    host = backup_host(given, claim)
    if not host and _STORE.match(place):
        means = Means.INTERNET if place.startswith(_CLOUDS) else Means.UNTOLD
        return Need(Stage.BACKUPS, "backups", means, claim.declared_in, _store(place), "", claim.key, any_of=True)
    return _need(given, Stage.BACKUPS, "backups", host, claim.declared_in, claim.key, any_of=True)


def _store(place: str) -> str:
    """`rclone:far` of `rclone:far:folder`."""
    return ":".join(place.split(":")[:2])


def nas_of(given: Given, claim: BackedUpClaim) -> Nas | None:
    """The NAS of the settings that these backups are on: by a name of it, or by the folder that movers are given."""
    host = backup_host(given, claim).lower()
    named = next((nas for nas in given.house.nas if host in nas.names), None)
    if named is not None or not claim.mover_repository.startswith("/"):
        return named
    for nas in given.house.nas:
        places = [export.place for export in nas.exports] + [f"/mnt/{dataset}" for dataset in nas.datasets]
        for server, path, _ in mover_mounts(given.rendered):
            same = server.lower() in nas.names or "${" in server
            if same and any(path == place or path.startswith(f"{place}/") for place in places):
                return nas
    return None


def backup_host(given: Given, claim: BackedUpClaim) -> str:
    """The host that a claim's backups are on: of how it is opened from here; a path is on the server that movers mount it from."""
    host = host_of(claim.open_as) or host_of(claim.mover_repository)
    if not host and claim.mover_repository.startswith("/"):
        return next(iter(mover_servers(given)), ("", ""))[0]
    return host


def mover_servers(given: Given) -> Iterable[tuple[str, str]]:
    """Server and place of every NFS folder that VolSync's movers are given; a server in a variable stands as `${NAME}`."""
    return tuple((server, where) for server, _, where in mover_mounts(given.rendered))

"""Secret stores of External Secrets: which vault each asks, whether that is a cloud's, and what is made of it. Asks none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.lint.inside import Inside
from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered, RenderedObject

GROUP = "external-secrets.io"
# Provider of a store → whose cloud it asks. One that may be run at home names its server; what the field is called.
_CLOUDS: Mapping[str, str] = {
    "onepassword": "1Password", "onepasswordSDK": "1Password", "bitwardensecretsmanager": "Bitwarden", "doppler": "Doppler",
    "infisical": "Infisical", "akeyless": "Akeyless", "aws": "AWS", "gcpsm": "Google Cloud", "azurekv": "Azure", "gitlab": "GitLab",
    "github": "GitHub", "ibm": "IBM Cloud", "oracle": "Oracle Cloud", "pulumi": "Pulumi", "scaleway": "Scaleway",
    "yandexlockbox": "Yandex", "yandexcertificatemanager": "Yandex", "keepersecurity": "Keeper", "delinea": "Delinea",
    "beyondtrust": "BeyondTrust", "senhasegura": "Senhasegura", "alibaba": "Alibaba Cloud", "cloudru": "Cloud.ru",
}  # fmt: skip
_SERVERS: Mapping[str, str] = {
    "onepassword": "connectHost", "vault": "server", "infisical": "hostAPI", "bitwardensecretsmanager": "bitwardenServerSDKURL",
    "webhook": "url", "passbolt": "host", "conjur": "url", "gitlab": "url", "passworddepot": "host", "secretserver": "serverURL",
}  # fmt: skip
_BEHIND = ("onepassword", "bitwardensecretsmanager")
"""Their server stands before the cloud's: without the cloud a new one has nothing."""


@dataclass(frozen=True)
class Store:
    """One store. `cloud` is whose cloud it needs, "" for none; `server` what it asks, "" for the cloud itself."""

    kind: str
    namespace: str
    name: str
    cloud: str
    server: str
    kustomization: str
    declared_in: str

    @property
    def told(self) -> str:
        """What a person calls it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class MadeSecret:
    """A Secret that a store makes: of an ExternalSecret's namespace, "" for one that a ClusterExternalSecret makes in many.
    `keys` are those of its template and entries, `items` what it is made of."""

    namespace: str
    name: str
    store: Store
    keys: tuple[str, ...]
    items: tuple[str, ...]
    kustomization: str
    declared_in: str


@dataclass(frozen=True)
class Stores:
    """All of a house: the stores, and what is made of them."""

    all: tuple[Store, ...]
    made: tuple[MadeSecret, ...]

    @property
    def used(self) -> tuple[Store, ...]:
        """Those that something is made of."""
        return tuple(dict.fromkeys(one.store for one in self.made))

    def makes(self, namespace: str, name: str) -> MadeSecret | None:
        """Who makes this Secret."""
        fits = (one for one in self.made if one.name == name and one.namespace in ("", namespace))
        return next(fits, None)


def stores_of(rendered: Rendered, inside: Inside) -> Stores:
    """What Git declares of them."""
    declared = (_store(inside, one) for one in rendered.of_kind(GROUP, "SecretStore", "ClusterSecretStore"))
    stores = {(one.kind, one.namespace, one.name): one for one in declared}
    made = []
    for one in rendered.of_kind(GROUP, "ExternalSecret", "ClusterExternalSecret"):
        made += list(_made(one, stores))
    return Stores(tuple(stores.values()), tuple(made))


def _store(inside: Inside, one: RenderedObject) -> Store:
    provider, told = next(iter(mapping(one.spec.get("provider")).items()), ("", {}))
    server = str(mapping(told).get(_SERVERS.get(provider, "")) or "")
    cloud = _CLOUDS.get(provider, "")
    if server and (provider not in _BEHIND or not inside.answers(server)):
        cloud = ""  # the house's own; one that stands outside of the cluster keeps what it had from the cloud
    namespace = "" if one.kind == "ClusterSecretStore" else one.namespace
    return Store(one.kind, namespace, one.name, cloud, server, one.kustomization, one.declared_in)


def _made(one: RenderedObject, stores: Mapping[tuple[str, str, str], Store]) -> Iterator[MadeSecret]:
    cluster = one.kind == "ClusterExternalSecret"
    spec: dict[str, Any] = mapping(one.spec.get("externalSecretSpec")) if cluster else one.spec
    named = mapping(spec.get("secretStoreRef"))
    kind = str(named.get("kind") or "SecretStore")
    store = stores.get((kind, "" if kind == "ClusterSecretStore" else one.namespace, str(named.get("name"))))
    if store is None:
        return
    target = mapping(spec.get("target"))
    entries = list(map(mapping, sequence(spec.get("data"))))
    keys = [*map(str, mapping(mapping(target.get("template")).get("data"))), *(str(entry.get("secretKey")) for entry in entries)]
    items = [str(mapping(entry.get("remoteRef")).get("key") or "") for entry in entries]
    items += [str(mapping(mapping(entry).get("extract")).get("key") or "") for entry in sequence(spec.get("dataFrom"))]
    name = str(target.get("name") or (one.spec.get("externalSecretName") if cluster else "") or one.name)
    yield MadeSecret(
        "" if cluster else one.namespace, name, store, tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(filter(None, items))),
        one.kustomization, one.declared_in,
    )  # fmt: skip

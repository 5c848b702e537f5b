"""The one table of what we put into Kubernetes Secrets: the source's name, where its value is, and under which keys it goes.

Knows no HTTP. Values leave this module only as bytes on their way into a Secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from engine.errors import PermanentError
from engine.secrets import Secret
from house.model import House, SecretRef
from house.yamlfile import YamlInvalid
from house.yamlfile import value as yaml_value

_DEPLOY_KEYS = ("identity", "identity.pub", "known_hosts", "username", "password", "bearerToken", "caFile", "ca.crt")


class SecretResolver(Protocol):
    """Whoever turns a reference of the settings into its value (adapters/secrets)."""

    def resolve(self, ref: SecretRef) -> Secret: ...


@dataclass(frozen=True)
class Source:
    """One source: the reference in the house (None when the house names none) and how its value becomes a Secret's data."""

    reference: Callable[[House], SecretRef | None]
    data: Callable[[Secret, House], dict[str, bytes]]
    labels: Mapping[str, str]


def _age(secret: Secret, house: House) -> dict[str, bytes]:
    # kustomize-controller takes only names that end in .agekey, else it looks for keys in its own home folder.
    return {"age.agekey": secret.reveal().encode()}


def _deploy_key(secret: Secret, house: House) -> dict[str, bytes]:
    """A private key, a token for https, or a whole Secret's data as YAML (`identity`, `known_hosts`, …)."""
    value = secret.reveal()
    if value.lstrip().startswith("-----BEGIN"):
        data = {"identity": value if value.endswith("\n") else value + "\n"}
    elif house.flux.url.startswith(("http://", "https://")) and "\n" not in value.strip():
        data = {"username": "git", "password": value.strip()}
    else:
        data = _fields(value)
    if house.flux.url.startswith("ssh://") and not ("identity" in data and "known_hosts" in data):
        raise PermanentError(
            "The deploy key has no known_hosts, and Flux takes no ssh key without it",
            hint="let the reference give YAML with `identity` and `known_hosts`; compare the latter with what the host publishes",
        )
    return {key: text.encode() for key, text in data.items()}


def _fields(value: str) -> dict[str, str]:
    try:
        parsed: Any = yaml_value(value)
    except YamlInvalid:
        parsed = None
    if isinstance(parsed, dict) and isinstance(parsed.get("stringData"), dict):
        parsed = parsed["stringData"]
    if not isinstance(parsed, dict) or not parsed or not all(key in _DEPLOY_KEYS for key in parsed):
        raise PermanentError(
            "The deploy key is neither a private key nor YAML with the keys that Flux knows",
            hint=f"keys that are known: {', '.join(_DEPLOY_KEYS)}",
        )
    return {str(key): str(text) for key, text in parsed.items()}


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        # The label has kustomize-controller try again at once when the Secret appears.
        "sops-age": Source(lambda house: house.age_key, _age, {"reconcile.fluxcd.io/watch": "Enabled"}),
        "deploy-key": Source(lambda house: house.flux.deploy_key, _deploy_key, {}),
    }
)


def data_of(name: str, house: House, resolver: SecretResolver) -> dict[str, bytes]:
    """The data of the source `name`. PermanentError when there is no such source, or the house names none."""
    source = SOURCES.get(name)
    if source is None:
        raise PermanentError(f"No secret source is called {name}", evidence=(f"known: {', '.join(SOURCES)}",))
    reference = source.reference(house)
    if reference is None:
        raise PermanentError(f"The settings name no {name}")
    return source.data(resolver.resolve(reference), house)


def labels_of(name: str) -> dict[str, str]:
    """Labels that the Secret of this source carries."""
    return {"app.kubernetes.io/managed-by": "blackstart"} | dict(SOURCES[name].labels)

"""What we put into Kubernetes Secrets: the references of each, resolved, and the fields that Flux reads of a deploy key.

Knows no HTTP. Values leave this module only as bytes on their way into a Secret.
"""

from __future__ import annotations

from typing import Any, Protocol

from engine.errors import PermanentError
from engine.secrets import Secret
from house.files.yamlfile import YamlInvalid
from house.files.yamlfile import value as yaml_value
from house.model import BootstrapSecret, House, SecretForm, SecretRef

_DEPLOY_KEYS = ("identity", "identity.pub", "known_hosts", "username", "password", "bearerToken", "caFile", "ca.crt")


class SecretResolver(Protocol):
    """Whoever turns a reference of the settings into its value (adapters/secrets)."""

    def resolve(self, ref: SecretRef) -> Secret: ...
    def resolve_as(self, name: str, ref: SecretRef) -> Secret | str: ...


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


def data_of(secret: BootstrapSecret, house: House, resolver: SecretResolver) -> dict[str, bytes]:
    """The Secret's data, resolved. PermanentError when a reference answers nothing, or a deploy key has not what Flux needs."""
    if secret.form is SecretForm.DEPLOY_KEY:
        ((_, reference),) = secret.keys
        return _deploy_key(resolver.resolve(reference), house)
    values = {key: resolver.resolve_as(key, reference) for key, reference in secret.keys}
    return {
        key: (value.reveal() if isinstance(value, Secret) else value).encode() for key, value in values.items()
    }


def labels_of(secret: BootstrapSecret, house: House) -> dict[str, str]:
    """Labels that the Secret carries."""
    ours = {"app.kubernetes.io/managed-by": "blackstart"}
    # The label has Flux's controllers try again at once when the Secret appears.
    watched = {"reconcile.fluxcd.io/watch": "Enabled"} if secret.namespace == house.flux.namespace else {}
    return ours | watched

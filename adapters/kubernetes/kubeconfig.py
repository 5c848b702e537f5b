"""Reads the admin kubeconfig of the state folder, and says in words what is wrong with one. Asks no API server.

A kubeconfig holds a private key, and the parsers quote what they read: what is told names fields, and never a value.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

from adapters.kubernetes.unwritten import unwritten
from engine.errors import PermanentError, TransientError
from engine.files.content import text_of
from house.files.grammar import url_parts
from house.files.problems import dotted
from house.files.typed import MAPPING, MAPPINGS, TEXT, amiss, kind_of, lacking
from house.files.yamlfile import YamlInvalid
from house.files.yamlfile import value as yaml_value

_FIELDS = {
    "current-context": TEXT,
    **dict.fromkeys(("clusters", "contexts", "users"), MAPPINGS),
    **{f"{group}[].name": TEXT for group in ("clusters", "contexts", "users")},
    "clusters[].cluster": MAPPING, "clusters[].cluster.server": TEXT,
    "contexts[].context": MAPPING, "contexts[].context.cluster": TEXT, "contexts[].context.user": TEXT,
    "users[].user": MAPPING, "users[].user.token": TEXT,
    "users[].user.client-certificate-data": TEXT, "users[].user.client-key-data": TEXT,
}  # fmt: skip
# Without a server lightkube would ask this machine's own port 8080, as kubectl did once.
_NEEDED = (
    "current-context", "clusters", "contexts", "users", "clusters[].name", "clusters[].cluster", "clusters[].cluster.server",
    "contexts[].name", "contexts[].context", "contexts[].context.cluster", "users[].name", "users[].user",
)  # fmt: skip


def load_config(path: Path) -> SingleConfig:
    """The current context of a kubeconfig. TransientError while the file is not there, PermanentError when it is no kubeconfig."""
    return config_of(path, said_in(path))


def said_in(path: Path) -> Any:
    """What the file holds, whatever that is. TransientError while there is no file, PermanentError when it is no YAML."""
    try:
        return yaml_value(text_of(path), path.name)
    except FileNotFoundError:
        raise TransientError(
            "There is no kubeconfig yet",
            evidence=(str(path),),
            hint="it is fetched once etcd has been bootstrapped",
            next_command="invoke cluster.bootstrap",
        ) from None
    except YamlInvalid as error:
        line = f"line {error.problem.line} of it" if error.problem.line else "it"
        raise _unreadable(path, f"{line} is no YAML, or more than one document") from None
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"it is no text: byte {error.start} is no UTF-8") from None
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None


def config_of(path: Path, said: Any) -> SingleConfig:
    """The current context in what the file at `path` holds. PermanentError when that is no kubeconfig."""
    if not isinstance(said, dict):
        raise _unreadable(path, "it is empty" if said is None else f"it is {kind_of(said)}, not a mapping")
    if (told := next(_wrong(said), "")) or (told := _contradicts(said)):
        raise _unreadable(path, told)
    config = _made(path, said)
    if config.user is not None and config.user.exec is not None:  # lightkube would start it, past all that keeps a run's programs
        raise PermanentError(
            "The kubeconfig in the state folder names a program that is to be asked for credentials",
            evidence=(f"{path}: {config.user.exec.command}",),
            hint="delete it: the step that fetches the kubeconfig makes it again, with a certificate",
        )
    return config


def keys_fit(config: SingleConfig) -> bool:
    """Whether a client can be made of its authority, its certificate and its key, which must be the certificate's."""
    try:
        with unwritten(config) as readable:
            context = ssl.create_default_context(cafile=readable.cluster.certificate_auth)
            if readable.user is not None and readable.user.client_cert:
                context.load_cert_chain(readable.user.client_cert, readable.user.client_key)
    except (OSError, ValueError):
        return False
    return True


def unusable(error: Exception) -> str:
    """What is wrong with a kubeconfig's certificates or key, by what making a client of them has raised."""
    if isinstance(error, ssl.SSLError):
        why = str(error.reason or "").replace("_", " ").lower()
        return f"its certificates and its key are no certificate and key that go together{f' ({why})' if why else ''}"
    if isinstance(error, OSError):
        return f"a file that it names cannot be read: {error.strerror or type(error).__name__}"
    if isinstance(error, ConfigError):
        return "its user has credentials of a kind that is not known here"
    return "what it holds as data is no base64"


def _wrong(said: dict[str, Any]) -> Iterator[str]:
    """Each field that is another thing than it has to be, or is not there."""
    for where, what, _ in amiss(said, _FIELDS):
        yield f"{dotted(where)} {what}"
    for where in lacking(said, _NEEDED):
        yield f"{dotted(where)} is not there, or empty"


def _contradicts(said: dict[str, Any]) -> str:
    """What does not fit together in one whose fields are what they have to be; "" for nothing."""
    context = next((one["context"] for one in said["contexts"] if one["name"] == said["current-context"]), None)
    if context is None:
        return "current-context is none of its contexts"
    if not context.get("user"):
        return "its current context names no user"
    cluster = next((one["cluster"] for one in said["clusters"] if one["name"] == context["cluster"]), None)
    user = next((one["user"] for one in said["users"] if one["name"] == context["user"]), None)
    if cluster is None or user is None:
        lacks = "cluster" if cluster is None else "user"
        return f"the {lacks} of its current context is none of its {lacks}s"
    server = url_parts(cluster["server"])
    if server is None or server.scheme not in ("http", "https") or not server.hostname:
        return "the server of its cluster is no API's URL, as in https://10.0.0.2:6443"
    for has, lacks in (("client-certificate", "client-key"), ("client-key", "client-certificate")):
        if _given(user, has) and not _given(user, lacks):
            return f"its user has a {has} and no {lacks}"
    token = user.get("token")
    fits = token is None or (isinstance(token, str) and token.isascii() and token.isprintable())
    return "" if fits else "the token of its user is no token"


def _given(user: dict[str, Any], name: str) -> bool:
    return bool(user.get(name) or user.get(f"{name}-data"))


def _made(path: Path, said: dict[str, Any]) -> SingleConfig:
    try:
        config: SingleConfig | None = KubeConfig.from_dict(said, fname=path).get()
    except msgspec.ValidationError as error:
        raise _unreadable(path, f"a field of it is not what it has to be: {error}") from None  # its words name types alone
    except (ConfigError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise _unreadable(path, f"it is no kubeconfig that can be read ({type(error).__name__})") from None
    assert config is not None  # it names a context
    return config


def _unreadable(path: Path, why: str) -> PermanentError:
    return PermanentError(
        "The kubeconfig in the state folder cannot be read",
        evidence=(f"{path}: {why}",),
        hint="a bootstrap fetches a new one, and changes no more than what is not as it should be",
        next_command="invoke cluster.bootstrap",
    )

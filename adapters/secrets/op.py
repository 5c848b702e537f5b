"""What 1Password's op is given of our environment, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from engine.secrets import Secret

_SECRETS = ("OP_SERVICE_ACCOUNT_TOKEN", "OP_CONNECT_TOKEN", "OP_SESSION")
_PLACES = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "OP_")


def op_environment(environ: Mapping[str, str]) -> dict[str, str | Secret]:
    """Its tokens as secrets, and where it finds what it knows."""
    return {
        name: Secret(value) if name.startswith(_SECRETS) else value
        for name, value in environ.items() if value and name.startswith(_PLACES)
    }  # fmt: skip

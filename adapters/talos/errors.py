"""What a Talos refusal means for us: a gRPC code, wherever it was read, as one of our errors. Knows no program."""

from __future__ import annotations

import re

from engine.errors import BlackstartError, PermanentError, TransientError

# Only the code decides: the texts behind it vary with the TLS library, by race and by Talos version.
_CODE = re.compile(r"code = ([A-Z][A-Za-z]+)")
_TRANSIENT = frozenset(
    {
        "Unavailable",
        "DeadlineExceeded",
        "Canceled",
        "FailedPrecondition",
        "ResourceExhausted",
        "Aborted",
        "Internal",
        "Unknown",
    }
)
_HINTS = {
    "AlreadyExists": "etcd data are on this node already: this alone does not say whose; the members tell",
    "PermissionDenied": "the talosconfig's certificate has too small a role, or the node is in maintenance",
    "Unimplemented": "this node does not serve that call: a worker, or a node in maintenance",
    "InvalidArgument": "the machineconfig does not fit this machine",
    "FailedPrecondition": "the node is not ready for this yet",
    "Unavailable": "the node is down or restarting, or answers with another certificate than ours",
}


class AlreadyBootstrapped(PermanentError):
    """The node's etcd data directory is not empty, so a bootstrap was refused. No proof of success: look at the members."""


def grpc_code(text: str) -> str:
    """The last gRPC code in a text ("" for none): outer layers wrap the node's own answer, which comes last."""
    found = _CODE.findall(text)
    return found[-1] if found else ""


def refusal(what: str, code: str, evidence: tuple[str, ...] = ()) -> BlackstartError:
    """The error for a call that ended with this gRPC code ("" when none was told, which may be anything: look again)."""
    hint = _HINTS.get(code, "")
    if code == "AlreadyExists":
        return AlreadyBootstrapped(what, evidence=evidence, hint=hint)
    if code in _TRANSIENT:
        return TransientError(what, evidence=evidence, hint=hint)
    return PermanentError(what, evidence=evidence, hint=hint)

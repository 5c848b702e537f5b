"""All that an API server keeps put back as it was, in its etcd and under its eyes: one that is started serves many tests.

It watches etcd, so that what goes there goes from its caches as well. Knows etcd's JSON gateway, and of Kubernetes only where its
objects lie and what follows them late.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

_LIMIT_S = 60.0
_AT_ONCE = 100
"""Operations of one transaction: etcd takes 128."""
COMPACTED = "compact_rev_key"
"""Where the servers note each five minutes how far etcd is compacted. A server whose note is gone panics when it next compacts:
`Compact` of k8s.io/apiserver, pkg/storage/etcd3/compact.go, takes the first of no values."""
OF_THE_SERVERS = (COMPACTED, "/registry/leases/kube-system/", "/registry/masterleases/", "/registry/events/")
"""What the servers write for themselves as time passes, and what goes by itself."""
MADE = tuple(f"/registry/namespaces/{name}" for name in ("default", "kube-system", "kube-public", "kube-node-lease"))
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
STANDING = "standing"
"""A policy that nobody meets. A server that had one with such parameters, and has none any more, never again sees a change of
them: Kubernetes 1.36 ends the watch of a kind with the last policy for it, and begins none anew."""
POLICIES = "/registry/validatingadmissionpolic"


@dataclass(frozen=True)
class Etcd:
    """One etcd over plain HTTP, by the URL of its clients."""

    url: str

    def all(self) -> dict[str, tuple[str, str]]:
        """Key → its value as base64, and the revision that wrote it."""
        found = self._ask("range", {"key": _coded("\0"), "range_end": _coded("\0")})
        return {
            base64.b64decode(each["key"]).decode(): (each.get("value", ""), each["mod_revision"]) for each in found.get("kvs", ())
        }

    def write(self, values: dict[str, str | None]) -> None:
        """Put these values (base64); delete where there is none."""
        orders = [
            {"requestDeleteRange": {"key": _coded(key)}} if value is None else {"requestPut": {"key": _coded(key), "value": value}}
            for key, value in values.items()
        ]
        for first in range(0, len(orders), _AT_ONCE):
            self._ask("txn", {"success": orders[first : first + _AT_ONCE]})

    def _ask(self, method: str, what: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/v3/kv/{method}", json.dumps(what).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@dataclass
class Rewinder:
    """The state of API servers to come back to: as it is when all is there that they make for themselves.

    `ask`: a path, and the body of a POST if it is one → what each of them answers.
    """

    etcd: Etcd
    ask: Callable[[str, dict[str, Any] | None], list[tuple[int, Any]]]
    _kept: dict[str, tuple[str, str]] = field(init=False)
    _groups: list[set[str]] = field(init=False)

    def __post_init__(self) -> None:
        _until(lambda: set(MADE) <= self.etcd.all().keys(), "what servers make for themselves")
        self._policy(STANDING, {"paramRef": {"name": "none", "namespace": "default", "parameterNotFoundAction": "Allow"}})
        self._kept, self._groups = self.etcd.all(), list(self._served())

    def rewind(self) -> None:
        """Put all back; returns when every server serves and refuses as it did then."""
        found = self.etcd.all()
        changed = {
            key: self._kept[key][0] if key in self._kept else None
            for key in found.keys() | self._kept.keys()
            if found.get(key, ("", ""))[1] != self._kept.get(key, ("", ""))[1] and not key.startswith(OF_THE_SERVERS)
        }
        self.etcd.write(changed)
        # What was written now is what a later look compares with.
        self._kept |= {key: value for key, value in self.etcd.all().items() if key in self._kept}
        _until(lambda: list(self._served()) == self._groups, "the kinds that were served before")
        if any(key.startswith(POLICIES) for key in changed):
            self._forget_policies()

    def _served(self) -> Iterator[set[str]]:
        """Of each server, the groups and versions that it serves."""
        for _, told in self.ask("/apis", None):
            yield {version["groupVersion"] for group in told["groups"] for version in group["versions"]}

    def _forget_policies(self) -> None:
        """Wait until no server judges by the policies that are gone: all are taken up together, so that one more tells."""
        name, before = f"rewound-{next(_names)}", set(self.etcd.all())
        self._policy(name, {})
        trial = "/api/v1/namespaces/default/configmaps?dryRun=All"

        def alone() -> bool:
            told = [str(answer.get("message", "")) for _, answer in self.ask(trial, {"metadata": {"name": name}})]
            return all(f"Policy '{name}'" in words and words.count("Policy '") == 1 for words in told)

        _until(alone, "policies to be forgotten")
        self.etcd.write({key: None for key in set(self.etcd.all()) - before if key.startswith(POLICIES)})

    def _policy(self, name: str, binding: dict[str, Any]) -> None:
        """One by which no ConfigMap of the policy's own name is made."""
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
        validation = {"expression": f"object.metadata.name != '{name}'", "reason": "Forbidden"}
        spec: dict[str, Any] = {"matchConstraints": {"resourceRules": [rule]}, "validations": [validation]}
        spec |= {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}} if binding else {}
        self.ask(f"{REGISTRATION}/validatingadmissionpolicies", {"metadata": {"name": name}, "spec": spec})
        bound = {"policyName": name, "validationActions": ["Deny"], **binding}
        self.ask(f"{REGISTRATION}/validatingadmissionpolicybindings", {"metadata": {"name": name}, "spec": bound})


_names = count(1)


def _coded(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"an API server that was rewound: {what}, not within {_LIMIT_S:.0f} s")
        time.sleep(0.05)

"""Every secret of a house of the lab, in every form, searched for in everything that runs of the tool left or showed."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from house.files.yamlfile import value
from lab.houses.repository import ENCRYPTED
from tests.crash.wire import outside
from tests.crash.wire.bench import Bench
from tools.locate import need

MEANT = ("kubeconfig", "machineconfigs/*.yaml", "machineconfigs/talosconfig")
"""The files of the state folder that are there to hold secrets; nothing else may."""

SHOWN = (
    "configmaps", "events", "leases", "namespaces", "pods", "jobs", "serviceaccounts", "kustomizations", "helmreleases",
    "gitrepositories", "replicationsources", "replicationdestinations", "persistentvolumeclaims",
)  # fmt: skip
"""Kinds that every reader of a cluster may see; a Secret alone is there to hold secrets."""

_SECRET_KEY = re.compile(r"key$|token|secret|password|client-key-data", re.IGNORECASE)
_SHORTEST = 12
PATTERNS = (
    re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"),
    re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]+"),
    re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),  # a ServiceAccount's token: made by runs, kept by none
)


def secrets(bench: Bench) -> dict[str, str]:
    """Where a secret is from → its text: the lab's own files, what the repository encrypts, and what runs generated."""
    found = {f"secrets/{p.name}": p.read_text().strip() for p in bench.folder.secrets.iterdir() if p.suffix != ".pub"}
    for name in ENCRYPTED:
        found |= _texts(name, value(_decrypted(bench, name)))
    for path in meant(bench):
        found |= _texts(path.name, value(path.read_text().split("\n---\n")[0]))
    return found


def meant(bench: Bench) -> list[Path]:
    """The files that are meant to hold secrets."""
    return [path for pattern in MEANT for path in sorted(bench.state.glob(pattern))]


def spilled(bench: Bench) -> list[str]:
    """Each secret that is where it must not be: `secret in place`. Never shows the secret."""
    needles = {form: name for name, text in secrets(bench).items() for form in forms(text)}
    found = []
    for place, content in (*((str(path), path.read_bytes()) for path in searched(bench)), *shown(bench)):
        found += [f"{name} in {place}" for form, name in needles.items() if form in content]
        found += [f"a private key or token in {place}" for pattern in PATTERNS if pattern.search(content)]
    return sorted(set(found))


def shown(bench: Bench) -> Iterator[tuple[str, bytes]]:
    """What others than the owner of the house's secrets can read in it: the cluster's objects of these kinds, Proxmox' VMs."""
    for kind in SHOWN:
        yield f"the cluster's {kind}", outside.kubectl(bench, "get", kind, "--all-namespaces", "--output=json").encode()
    for vm_id, config in outside.vm_configs(bench).items():
        yield f"the configuration of VM {vm_id}", json.dumps(config).encode()


def searched(bench: Bench) -> Iterator[Path]:
    """Every file of state folder and TMPDIR but those meant for it, everything printed, every argument, the lab's log."""
    allowed = set(meant(bench))
    for folder in (bench.state, bench.temporary, bench.reports):
        yield from (path for path in folder.rglob("*") if path.is_file() and path not in allowed)
    yield from (bench.argv_log, bench.folder.log, bench.folder.settings)
    lock = bench.folder.settings.with_name("blackstart.lock.yaml")
    if lock.exists():
        yield lock


def forms(text: str) -> set[bytes]:
    """The text itself, each of its lines, and those in base64 (wherever it begins), hex, percent and JSON."""
    found: set[bytes] = set()
    for plain in {text, *text.splitlines()}:
        if len(plain) < _SHORTEST or plain.startswith("-----"):
            continue
        raw = plain.encode()
        found |= {raw, raw.hex().encode(), json.dumps(plain)[1:-1].encode()}
        found |= {quote(plain, safe="").encode(), quote(plain).encode(), quote_plus(plain).encode()}
        for before in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                # Only the characters that these bytes alone decide.
                found.add(encode(b"\0" * before + raw)[(0, 2, 3)[before] : (len(raw) + before) * 8 // 6])
    return found


def _texts(source: str, node: Any, path: str = "") -> dict[str, str]:
    """Every text under a key that names a secret, and what it is in base64."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return {}
    found: dict[str, str] = {}
    for key, inner in node.items():
        here = f"{path}.{key}"
        if not isinstance(inner, str):
            found |= _texts(source, inner, here)
        elif _SECRET_KEY.search(str(key)) and len(inner) >= _SHORTEST and not inner.startswith("node-role"):
            found[f"{source}{here}"] = inner
            if (decoded := _decoded(inner)).startswith("-----BEGIN"):
                found[f"{source}{here} decoded"] = decoded
    return found


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _decrypted(bench: Bench, name: str) -> str:
    environment = {"PATH": os.environ["PATH"], "SOPS_AGE_KEY_FILE": str(bench.folder.secrets / "age.key")}
    argv = [str(need("sops")), "--decrypt", str(bench.folder.clone / name)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=environment, timeout=60).stdout

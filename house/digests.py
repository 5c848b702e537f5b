"""Digests over files of the repository, for steps whose outcome depends on more than the settings. Knows no step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from house.model import TalosCluster
from house.paths import is_file

_GENERATED = "clusterconfig"


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 (hex) over names and contents of the files, whatever order they come in. A file that is absent counts as absent."""
    whole = hashlib.sha256()
    for file in sorted(set(files)):
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()
        content = hashlib.sha256(file.read_bytes()).hexdigest() if is_file(file) else "absent"
        whole.update(f"{len(name)}:{name}={content}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def rendering_inputs(cluster: TalosCluster) -> tuple[Path, ...]:
    """Every file that rendering machineconfigs reads: all of the talos folder but what talhelper generates, and the bundle."""
    folder = cluster.talconfig.parent
    found = {p for p in folder.rglob("*") if is_file(p) and _GENERATED not in p.relative_to(folder).parts}
    return tuple(sorted(found | {cluster.talconfig, cluster.secrets_bundle}))


def rendering_digest(cluster: TalosCluster) -> str:
    """Digest over talconfig, patches, versions and the (encrypted) secrets bundle."""
    return digest_of_files(cluster.talconfig.parent, rendering_inputs(cluster))

"""`python -m tests.houses FOLDER…`: each home-ops repository as it is read here, beside an independent count of a copy.

Prints nodes, Kustomizations, claims, engines, what is not followed, seconds, and the exit codes of `config.init` and of reading its
file for `dr.audit`. Exits with 1 where a Kustomization is seen by one of the two alone.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from adapters.kustomize.adapter import Kubectl
from engine.errors import EXIT_OK, SettingsInvalid
from house.flux.building import Builder
from house.init import write_settings
from house.left_out import left_out
from house.loader import Part, load
from house.repository import read_repository
from house.values import FILL_IN
from tests.houses.counting import count
from tools.locate import need


def main(folders: list[str]) -> int:
    """See the module."""
    kubectl = need("kubectl")
    different = 0
    for name in folders:
        with tempfile.TemporaryDirectory() as made:
            root, builder = Path(made) / "house", Builder(Kubectl(lambda: kubectl), Path(made) / "kept")
            shutil.copytree(name, root, symlinks=True, ignore=shutil.ignore_patterns(".git"))
            different += _row(Path(name).name, root, Path(made) / "work", builder, kubectl)
    return 1 if different else 0


def _row(name: str, root: Path, work: Path, builder: Builder, kubectl: Path) -> int:
    """Print what one house comes to; how many differences there are."""
    began = time.monotonic()
    read = read_repository(root, builder)
    seconds = time.monotonic() - began
    engines = Counter(one.engine for one in read.declared.unsupported)
    nodes = len(read.talconfig.nodes) if read.talconfig is not None else 0
    print(f"{name}: {nodes} nodes, {len(read.apps)} Kustomizations, {len(read.declared.backups)} claims of restic, "
          f"others {dict(engines)}, {len(read.declared.databases)} databases, {seconds:.1f} s")
    for line in left_out(read.declared.unsupported, read.declared.second, read.rendered.not_followed):
        print(f"  {line}")
    for problem in read.unread:
        print(f"  not seen: {problem}")
    print(f"  config.init {_init(root, builder)}, dr.audit reads it: {_audit(root, builder)}")
    if not read.source.path:
        return 0
    work.mkdir()
    try:
        theirs = count(root, f"{read.source.base}/{read.source.path}".lstrip("/"), work, kubectl).kustomizations
    except RuntimeError as error:
        print(f"  kubectl kustomize alone stops: {error}")
        return 0
    odd = sorted({app.key for app in read.apps} ^ theirs)
    print(f"  kubectl kustomize: {len(theirs)} Kustomizations{''.join(f', DIFFERENT: {one}' for one in odd)}")
    return len(odd)


def _init(root: Path, builder: Builder) -> int:
    try:
        write_settings(root, builder)
    except SettingsInvalid as error:
        return error.exit_code
    return EXIT_OK


def _audit(root: Path, builder: Builder) -> int:
    """With marks of backups filled in by anything, the exit code of reading it."""
    file = root / "blackstart.yaml"
    if not file.is_file():
        return SettingsInvalid.exit_code
    file.write_text(file.read_text().replace(FILL_IN, "env:NOT_SET"))
    try:
        load(file, builder, Part.BACKUPS)
    except SettingsInvalid as error:
        print("".join(f"  {line}\n" for line in error.evidence[:3]), end="")
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

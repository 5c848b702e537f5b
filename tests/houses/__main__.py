"""`python -m tests.houses FOLDER…`: each home-ops repository as it is read here, beside an independent count of a copy.

Prints nodes, Kustomizations, claims, engines, what is not followed, seconds, and the exit codes of `config.init` and of reading its
file for `dr.audit`. Exits with 1 where something is seen by one of the two alone and no line that is printed here names it.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from adapters.helm.charts import HelmCharts
from adapters.kustomize.adapter import Kubectl
from engine.errors import EXIT_OK, SettingsInvalid
from house.first.writing import write_settings
from house.flux.building import Builder
from house.loader import Part, load
from house.repository.backups.left_out import left_out
from house.repository.backups.unfollowed import NOT_REACHED
from house.repository.whole import Repository, read_repository
from house.settings.values import FILL_IN
from tests.houses.counting import Counted, Pulled, count, nodes_of
from tools.locate import need

# Where a mark stands for a place: the form of its line up to the mark, what is behind it, and any place.
_PLACES = (
    (r"open: ", r"  # the folder of the server", "s3:https://house.invalid/bucket/server"),
    (r"(?:open|repository): ", r"", "/not/there"),
    (r"path: ", r"", "kubernetes"),
)


def main(folders: list[str]) -> int:
    """See the module."""
    kubectl = need("kubectl")
    different = 0
    for name in folders:
        with tempfile.TemporaryDirectory() as made:
            root, charts = Path(made) / "house", HelmCharts(lambda: need("helm"))
            builder = Builder(Kubectl(lambda: kubectl), Path(made) / "kept", charts)
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
    counted_out = left_out(read.declared.unsupported, read.declared.second, read.rendered.not_followed)
    told = [*counted_out, *(f"not seen: {problem}" for problem in read.unread)]
    told += [f"not followed: {one.subject} {one.why}, at {one.declared_in}" for one in read.rendered.not_followed]
    print("".join(f"  {line}\n" for line in told), end="")
    print(f"  config.init {_init(root, builder)}, dr.audit reads it: {_audit(root, builder, read)}")
    lacks = next((str(one) for one in read.problems if "nothing says" in one.what), "")
    print(f"  {lacks}\n" if lacks else "", end="")
    odd = nodes_differ(nodes, nodes_of(root), told=bool(lacks))
    if read.source.path:
        odd += _beside(read, root, work, kubectl)
    different = untold(odd, told)
    print("".join(f"  {'DIFFERENT' if one in different else 'told above'}: {one}\n" for one in odd), end="")
    return len(different)


def _beside(read: Repository, root: Path, work: Path, kubectl: Path) -> list[str]:
    """What kubectl's kustomize and substitution count by themselves, printed; and every difference."""
    source = read.source
    work.mkdir()
    pulled = Pulled(source.kind, source.namespace, source.name, source.url, source.applies or source.name)
    theirs = count(root / source.base, source.path, work, kubectl, pulled)
    engines = Counter(engine for engine, *_ in theirs.backups)
    print(f"  kubectl kustomize: {len(theirs.kustomizations)} Kustomizations, {dict(engines)}, {len(theirs.makers)} makers")
    return [*_differing(read, theirs)]


def _differing(read: Repository, theirs: Counted) -> list[str]:
    ours = {f"Kustomization {app.key}" for app in read.apps} | {" ".join(row) for row in rows(read)}
    ours |= {one.subject for one in read.rendered.not_followed if one.makes_backups}
    counted = {f"Kustomization {key}" for key in theirs.kustomizations} | theirs.makers
    counted |= {f"{engine} {space} {name}" for engine, space, name, _ in theirs.backups}
    odd = [f"{one} (only {'here' if one in ours else 'there'})" for one in sorted(ours ^ counted)]
    return odd + [f"{key}, {path} (refused there)" for key, path in sorted(theirs.refused.items())]


def rows(read: Repository) -> set[tuple[str, str, str]]:
    """Engine, namespace and name of every backup and database that is read. What nothing applies nobody else counts."""
    declared = read.declared
    found = {("restic", one.namespace, one.claim) for one in declared.backups}
    applied = (one for one in declared.unsupported if not one.engine.endswith(NOT_REACHED))
    found |= {(one.engine, one.namespace, one.name) for one in applied}
    return found | {("database", one.namespace, one.name) for one in declared.databases}


def nodes_differ(ours: int, theirs: dict[str, int], *, told: bool = False) -> list[str]:
    """Of several talconfigs one is read; `told`: it was said that nothing says which."""
    same = ours in theirs.values() or not (ours or any(theirs.values())) or (told and not ours and len(theirs) > 1)
    return [] if same else [f"{ours} nodes here, there {theirs}"]


def untold(odd: Iterable[str], told: Iterable[str]) -> list[str]:
    """The differences that none of these lines names: by the whole name, for `notes-2` is another one than `notes`."""
    lines = "\n".join(told)
    return [one for one in odd if not (named := _name_of(one)) or not re.search(rf"(?<![\w-]){re.escape(named)}(?![\w-])", lines)]


def _name_of(odd: str) -> str:
    """The part of a difference by which a printed line may name it; "" for a number of nodes, which none does."""
    return odd.rpartition(" (")[0].rpartition(" ")[2]


def _init(root: Path, builder: Builder) -> int:
    try:
        write_settings(root, builder)
    except SettingsInvalid as error:
        return error.exit_code
    return EXIT_OK


def _audit(root: Path, builder: Builder, read: Repository) -> int:
    """With marks of backups filled in by anything, the exit code of reading it."""
    file = root / "blackstart.yaml"
    if not file.is_file():
        return SettingsInvalid.exit_code
    text = file.read_text()
    for before, behind, said in _PLACES:
        text = re.sub(rf"^(\s+{before}){FILL_IN}(?={behind})", rf"\g<1>{said}", text, flags=re.M)
    recipient = next(iter(read.age_recipients), "none")
    text = re.sub(rf"^(  recipient: ){FILL_IN}", rf"\g<1>{recipient}", text, flags=re.M)
    file.write_text(text.replace(FILL_IN, "env:NOT_SET"))
    try:
        load(file, builder, Part.BACKUPS)
    except SettingsInvalid as error:
        print("".join(f"  {line}\n" for line in error.evidence[:3]), end="")
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Whether the repository's secrets are encrypted, and for a key that can be named. Decrypts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from house import yamlfile
from house.problems import Problem, shown
from house.talconfig import Talconfig
from house.yamlfile import YamlInvalid

RULES = ".sops.yaml"


def unguarded(root: Path, talconfig: Talconfig | None, recipients: tuple[str, ...]) -> Iterator[Problem]:
    """What a person should know of before the night in which the age key is needed."""
    if not recipients:
        what = "names no age recipient" if (root / RULES).is_file() else "is not there"
        better = "without it nobody can tell whether the age key is the right one: write `creation_rules` with `age: age1…`"
        yield Problem(RULES, 0, "", what, better)
    if talconfig is not None and is_plain(talconfig.secrets_bundle):
        name = shown(talconfig.secrets_bundle, root)
        better = f"encrypt it with `{encrypt_by_hand(name)}`; what was pushed once stays readable in Git's history"
        yield Problem(name, 0, "", "holds every secret of Talos in plain text", better)


def is_plain(bundle: Path) -> bool:
    """Whether a secrets bundle is there that sops has not encrypted. False for one that is no YAML: nobody knows what it is."""
    try:
        documents = yamlfile.load(bundle, bundle.name) if bundle.is_file() else []
    except YamlInvalid:
        return False
    return any(isinstance(document.value, dict) and "sops" not in document.value for document in documents)


def encrypt_by_hand(bundle: str) -> str:
    """The commands that encrypt it where it lies, under a name that .sops.yaml's rules usually mean."""
    path = Path(bundle)
    if ".sops" in path.suffixes:
        return f"sops --encrypt --in-place {bundle}"
    better = path.with_suffix(f".sops{path.suffix}")
    return f"git mv {bundle} {better} && sops --encrypt --in-place {better}"

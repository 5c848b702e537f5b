"""Whether the repository's secrets are encrypted, and for a key that can be named. Decrypts nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.text.words import number
from house.files import yamlfile
from house.files.grammar import quoted
from house.files.paths import is_file
from house.files.problems import Problem, shown
from house.files.yamlfile import YamlInvalid
from house.repository.talconfigs.talconfig import Talconfig

RULES = ".sops.yaml"
_NO_SECRET = frozenset({"crt", "id"})
_LONGEST = 100


def short(recipient: str) -> str:
    """A recipient as a message shows it: a post-quantum one has 1,959 letters."""
    return recipient if len(recipient) <= _LONGEST else f"{recipient[:16]}…{recipient[-8:]}"


def unguarded(root: Path, talconfig: Talconfig | None, recipients: tuple[str, ...]) -> Iterator[Problem]:
    """What a person should know of before the night in which the age key is needed."""
    if not recipients:
        what = "names no age recipient that can be read" if os.path.lexists(root / RULES) else "is not there"
        better = "without it nobody can tell whether the age key is the right one: write `creation_rules` with `age: age1…`"
        yield Problem(RULES, 0, "", what, better)
    for one in recipients:
        if one.startswith("AGE-SECRET-KEY-"):
            better = "write what `age-keygen -y` makes of it, and make a new key: "
            better += "what was pushed once stays readable in Git's history"
            yield Problem(RULES, 0, "", "holds an age key itself, in plain text", better)
        elif not one.startswith("age1"):
            better = "write it as in age1…, or sops encrypts nothing"
            yield Problem(RULES, 0, "", f"names {quoted(one)}, which is no age recipient", better)
    if talconfig is not None and is_plain(talconfig.secrets_bundle):
        name = shown(talconfig.secrets_bundle, root)
        left = plain_values(talconfig.secrets_bundle)
        if left:
            more = ", …" if len(left) > 4 else ""
            what = f"carries a `sops:` block and holds {number(len(left), 'secret')} in plain text: {', '.join(left[:4])}{more}"
            better = f"its rule in {RULES} leaves them out (encrypted_regex and the like): mend that, then "
            better += f"`{encrypt_again_by_hand(name)}`; what was pushed once stays readable in Git's history"
            yield Problem(name, 0, "", what, better)
            return
        better = f"encrypt it with `{encrypt_by_hand(name)}`; what was pushed once stays readable in Git's history"
        yield Problem(name, 0, "", "holds every secret of Talos in plain text", better)


def is_plain(bundle: Path) -> bool:
    """Whether a secrets bundle is there of which any secret can be read. False for one that is no YAML: nobody knows what it is."""
    return any("sops" not in found for found in _documents(bundle)) or bool(plain_values(bundle))


def plain_values(bundle: Path) -> tuple[str, ...]:
    """Key paths of the secrets that a `sops:` block does not cover. The block alone says nothing: its rule may leave keys out."""
    return tuple(path for found in _documents(bundle) if "sops" in found for path in _readable(found, ""))


def _documents(bundle: Path) -> list[dict[str, Any]]:
    try:
        documents = yamlfile.load(bundle, bundle.name) if is_file(bundle) else []
    except YamlInvalid:
        return []
    return [document.value for document in documents if isinstance(document.value, dict)]


def _readable(value: Any, path: str) -> Iterator[str]:
    """Leaves that are no ciphertext of sops. Certificates and the cluster's id are nobody's secret: a rule may leave those out."""
    if isinstance(value, dict):
        for key, below in value.items():
            if not (path == "" and key == "sops"):
                yield from _readable(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _readable(below, f"{path}[{place}]")
    elif value not in (None, "") and path.rpartition(".")[2] not in _NO_SECRET and not str(value).startswith("ENC["):
        yield path


def encrypt_again_by_hand(bundle: str) -> str:
    """The commands that encrypt a bundle anew, once its rule is right."""
    return f"sops --decrypt --in-place {bundle} && sops --encrypt --in-place {bundle}"


def encrypt_by_hand(bundle: str) -> str:
    """The commands that encrypt it where it lies, under a name that .sops.yaml's rules usually mean."""
    path = Path(bundle)
    if ".sops" in path.suffixes:
        return f"sops --encrypt --in-place {bundle}"
    better = path.with_suffix(f".sops{path.suffix}")
    return f"git mv {bundle} {better} && sops --encrypt --in-place {better}"

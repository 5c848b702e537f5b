"""What a line of a runbook does: it only reads, or it changes something, asks the person, or belongs on a Proxmox host.

The one place that says so. A line counts as reading only when every command in it is known to read.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import Enum


class Does(Enum):
    """What a line does; the value is why one that is not READS is not executed."""

    READS = "only reads"
    CHANGES = "changes something"
    ASKS = "asks the person who types it"
    ON_A_HOST = "is typed on a Proxmox host: the lab has Proxmox's API, and no shell of a host"


@dataclass(frozen=True)
class Line:
    """One command of a runbook with the id of its step or check."""

    name: str
    command: str

    @property
    def does(self) -> Does:
        """See Does."""
        words = [_program(part) for part in _commands(self.command)]
        if any(part[:1] == ["read"] for part in words):
            return Does.ASKS
        if not all(_reads(part) for part in words if part) or _writes(self.command):
            return Does.CHANGES
        return Does.ON_A_HOST if any(part[0] in _HOST for part in words if part) or _ON_HOST.search(self.command) else Does.READS


_ITEM = re.compile(r"^\d+\. \*\*(\S+)\*\* .*\n\n {4}```sh\n {4}(.*)\n {4}```$", re.MULTILINE)
_ON_HOST = re.compile(r"  # on pve-|  # on a Proxmox host")
# What reads, whatever it is given.
_ALWAYS = frozenset({
    "grep", "awk", "paste", "sort", "cat", "echo", "printf", "date", "head", "wc", "true", "sha256sum", "free", "printenv",
    "mktemp", "cd", "age-keygen", "test", "base64", "op",
})  # fmt: skip
# Program → its first words that read, in full (two words where the first alone does not say it).
_VERBS = {
    "kubectl": {"get", "describe", "logs", "version", "kustomize", "api-resources"},
    "talosctl": {"version", "health", "get", "time", "read", "services", "etcd members", "etcd status"},
    "talhelper": {"gencommand"},
    "restic": {"snapshots", "ls", "check", "cat", "stats", "diff"},
    "helmfile": {"template", "list"},
    "helm": {"status", "list", "get", "template", "show"},
    "flux": {"get", "check", "stats"},
    "git": {"status", "diff", "grep", "log", "fetch", "rev-parse"},
    "sops": {"--decrypt"},
}
_HOST = {
    "pveversion": {""}, "pvecm": {"status", "nodes"}, "pvesm": {"list", "status"}, "pvesh": {"get"}, "pveum": {"user token"},
    "qm": {"config", "list", "status"},
}  # fmt: skip
# Flags that take a word of their own, before the verb.
_TAKES = {
    "-n", "-e", "-C", "-f", "-r", "--namespace", "--cacert", "--file", "--kubeconfig", "--repo", "--nodes", "--endpoints",
    "-c", "-s", "-o", "-i",
}  # fmt: skip


def lines_of(page: str) -> list[Line]:
    """Every command of a runbook, in order; those of its first block, which sets the shell up, are none."""
    return [Line(name, command) for name, command in _ITEM.findall(page)]


def set_up(page: str) -> str:
    """The first block: what the shell must know."""
    return page.partition("```sh\n")[2].partition("```")[0]


def without_comment(command: str) -> str:
    """The command as bash reads it."""
    return re.split(r"\s+#\s", command, maxsplit=1)[0]


def form(line: Line) -> tuple[str, tuple[str, ...]]:
    """The line without what is a house's own: the kind of its step or check, and every program with its flags and verb."""
    told = []
    for words in (_program(part) for part in _commands(line.command)):
        verbs = sorted((_VERBS | _HOST).get(words[0], set()) if words else ())
        said = next((verb for verb in verbs if f" {verb} " in f" {' '.join(words[1:])} "), "")
        flags = {word.partition("=")[0] for word in words[1:] if word.startswith("-")} - {"--cacert"}
        told.append(" ".join([*words[:1], *sorted(flags), said]))
    return line.name.partition("/")[0], tuple(dict.fromkeys(told))


def _commands(command: str) -> list[list[str]]:
    """Its simple commands as words; those inside `$(…)` and `<(…)` too."""
    bare = without_comment(command)
    inner = re.findall(r"[$<]\(((?:[^()]|\([^()]*\))*)\)", bare)
    outer = re.sub(r"[$<]\(((?:[^()]|\([^()]*\))*)\)", "SUBSTITUTED", bare)
    lexer = shlex.shlex(outer, posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("();|&"):
            found.append([])
        else:
            found[-1].append(word)
    return [part for part in found if part] + [part for one in inner for part in _commands(one)]


def _program(words: list[str]) -> list[str]:
    """Without the assignments before it."""
    while words and re.match(r"^[A-Za-z_]+=", words[0]):
        words = words[1:]
    return words


def _reads(words: list[str]) -> bool:
    program = words[0]
    if program in _ALWAYS:
        return True
    if program == "curl":
        return not {"-X", "-d", "-T", "--request", "--data", "--upload-file"} & set(words)
    known = (_VERBS | _HOST).get(program)
    if known is None:
        return False
    if program == "restic" and "--no-lock" not in words:
        return False
    rest = list(words[1:])
    while rest and rest[0].startswith("-") and rest[0] not in known:
        flag = rest.pop(0)
        if flag in _TAKES and rest:
            rest.pop(0)
    verbs = {" ".join(rest[:1]), " ".join(rest[:2])}
    return bool(verbs & known) and "--watch" not in words


def _writes(command: str) -> bool:
    """Whether it writes a file that is not thrown away."""
    bare = re.sub(r"'[^']*'|\"[^\"$]*\"", "", without_comment(command))
    return any(target not in ("/dev/null", "&1", "&2") for target in re.findall(r"(?<![<=-])>>?\s*([^\s;|&)]+|&\d)", bare))

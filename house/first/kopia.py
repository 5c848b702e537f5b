"""What a first settings file says of kopia: one rule for each place that its repositories lie in, and what Git does not show.

Asks nobody. A run restores none of it; an audit looks at what a rule opens.
"""

from __future__ import annotations

from collections.abc import Iterator

from house.declared.kopia import DeclaredKopia, kopia_backups
from house.files.scalars import in_quotes, plain
from house.first.opening_rules import rules
from house.repository.whole import Repository
from house.settings.values import FILL_IN

KOPIA_PASSWORD = "reference to kopia's password, as in op://vault/item/KOPIA_PASSWORD"  # noqa: S105 - words
_FOLDER = "  # the folder of kopia's repository as this machine has it mounted, as in /mnt/kopia"
_OR_BUCKET = "; or s3:https://HOST/BUCKET/PATH"
_PREFIX = "nfs://"


def kopia_rules(repository: Repository, *, alone: bool, key: str, taken: tuple[str, ...]) -> list[str]:
    """Lines of `backups.open_as`. `alone`: the house has no other backups, and its one password is kopia's. `key` is what is said
    behind a credential's mark, `taken` are the patterns of rules before these."""
    lines: list[str] = []
    for pattern in rules((one.seen, (one.claim,)) for one in opened_by_rules(repository)):
        if pattern in taken:
            continue
        lines.append(f"    - seen: {in_quotes(pattern)}")
        if pattern.startswith("s3:") and "{{" in pattern:
            lines.append(f"      open: {FILL_IN}  # the same without {{{{ … }}}}, which only the cluster can fill in")
        if pattern.startswith("s3:"):
            lines.append("      environment:")
            lines += [f"        {name}: {FILL_IN}{key}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        else:
            lines.append(f"      open: {FILL_IN}{_FOLDER}{'' if pattern.startswith(('/', _PREFIX)) else _OR_BUCKET}")
            lines += [f"      # In the cluster, movers have mounted {each}." for each in _mounted(pattern, repository)]
        if not alone:
            lines.append(f"      password: {FILL_IN}  # {KOPIA_PASSWORD}")
    return lines


def _mounted(pattern: str, repository: Repository) -> Iterator[str]:
    if pattern.startswith(_PREFIX):
        server, _, path = pattern.removeprefix(_PREFIX).partition("/")
        yield f"NFS {server}:/{path}"
    elif pattern.startswith("/"):
        yield from repository.hints.stores


def opened_by_rules(repository: Repository) -> tuple[DeclaredKopia, ...]:
    """Those that the rules above open, once they are filled in."""
    return tuple(one for one in kopia_backups(repository.rendered) if one.seen and one.identity)


def kopia_told(repository: Repository) -> list[str]:
    """Comments: which claims are audited by these rules, and of which a person would have to say where they lie."""
    opened = opened_by_rules(repository)
    lines = []
    if opened:
        named = ", ".join(dict.fromkeys(f"{one.made_by.namespace}/{one.claim}" for one in opened))
        lines.append(f"  # Claims that kopia backs up, audited and never restored by a run: {named}.")
    untold = [one for one in kopia_backups(repository.rendered) if one.identity and not one.seen and one.secret]
    if untold:
        lines.append("  # Git does not show where kopia keeps these. Said under `claims` each is audited as well:")
    for one in untold:
        key = plain(f"{one.made_by.namespace}/{one.claim}")
        lines.append(f"  #   {key}: {{repository: {in_quotes('s3:https://HOST/BUCKET/PATH')}}}  # {one.note}")
    return lines

"""Programs that hooks of a helmfile run: one that is not here fails its release in the middle of a run, when machines are made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.kubernetes.objects import Obj, rows, text

_AT_A_SYNC = frozenset({"prepare", "presync", "postsync", "cleanup"})
_OURS = frozenset({"age", "age-keygen", "helm", "helmfile", "kubectl", "restic", "sops", "talhelper", "talosctl"})
"""Programs that each run needs, and finds in the checkout too (tools/manifest.py): another check says which of them is lacking."""


def hook_problem(whole: Obj, release: Obj, folder: Path, which: Callable[[str], str | None] = shutil.which) -> str:
    """Which program of a hook, of all releases or of this one, is not on this machine, in words; "" where each is. `folder` is the
    helmfile's, which paths are seen from; of a command that is a template nobody here knows what it runs."""
    for command in (*_commands(whole), *_commands(release)):
        if "{{" in command or command in _OURS:
            continue
        if "/" in command and not (folder / command).is_file():
            return f"its hook runs {command}, which is not there, seen from {folder}"
        if "/" not in command and which(command) is None:
            return f"its hook runs {command}, which is not on this machine's PATH"
    return ""


def _commands(body: Obj) -> Iterator[str]:
    for hook in rows(body, "hooks"):
        events = hook.get("events")
        if isinstance(events, list) and _AT_A_SYNC & {str(event) for event in events} and text(hook, "command"):
            yield text(hook, "command")

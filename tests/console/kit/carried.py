"""A house of the lab of which one key opens everything: each secret that its settings name lies in its repository, encrypted."""

from __future__ import annotations

from pathlib import Path

from engine.secrets import Secret
from lab.houses.credentials import FILES
from lab.houses.nouns import HouseFolder
from lab.houses.repository import run_program

SEALED = "talos/opens.sops.yaml"
"""Where a rule of the repository encrypts the whole file."""
KEY = "age.key"


def carry_every_secret(folder: HouseFolder) -> Path:
    """Move the secrets of a house that was just made into its repository, and push that; answers the file with its age key, which
    alone is kept by people, and not where the settings look for it."""
    text, kept = folder.settings.read_text(), folder.root.parent / "in-a-drawer.key"
    values = {}
    for field, name in FILES.items():
        file = f"file:secrets/{name}"
        if field == "age_key":
            text = text.replace(file, f"file:{KEY}")
        else:
            text = text.replace(file, f"sops:{folder.clone.name}/{SEALED}#{field}")
            values[field] = Secret((folder.secrets / name).read_text().strip())
    folder.settings.write_text(text)
    sealed = folder.clone / SEALED
    sealed.touch(mode=0o600)
    sealed.write_text("".join(f'{field}: "{value.reveal()}"\n' for field, value in values.items()))
    run_program(folder.clone, "sops", "encrypt", "--in-place", SEALED)
    run_program(folder.clone, "git", "add", SEALED)
    run_program(folder.clone, "git", "commit", "--quiet", "--message", "Carry what opens the house")
    run_program(folder.clone, "git", "push", "--quiet", str(folder.git / "home-ops.git"), "main")
    run_program(folder.clone, "git", "update-ref", "refs/remotes/origin/main", "main")
    (folder.secrets / FILES["age_key"]).rename(kept)
    return kept

"""Opens a sealed kit and lays the house out of it where it can be run from. Asks nobody, and knows no verb."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

from adapters.age.adapter import Age
from adapters.git.bundle import GitBundles
from console.kit.nouns import MANIFEST, Manifest, manifest_of
from console.kit.packing import BUNDLE, SETTINGS, sums_of
from engine.errors import EvidenceChanged, PermanentError
from engine.secrets import Secret
from house.files.paths import no_file
from house.model import House, SecretRef

KIT, HOUSE = "kit", "house"
SHOWN = 5
KEY_VARIABLE = "SOPS_AGE_KEY"


def open_kit(file: Path, identity: Path | Secret, age: Age, room: Path) -> tuple[Manifest, Path]:
    """Open it into `room`; its list of contents, and the folder. PermanentError where it does not open, EvidenceChanged where a
    file in it is not what was packed."""
    if told := no_file(file):
        raise PermanentError(f"{file} {told}")
    plain, folder = room / "kit.tar", room / KIT
    age.unseal(file, plain, identity)
    try:
        with tarfile.open(plain) as tar:
            tar.extractall(folder, filter="data")
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        what = f"{file} opens, and is no kit: {type(error).__name__}"
        raise PermanentError(what, hint="right would be a file that invoke dr.kit has written, whole") from error
    finally:
        plain.unlink(missing_ok=True)
    manifest = manifest_of(text)
    found = sums_of(folder)
    odd = sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name))
    if odd:
        raise EvidenceChanged(f"{file} is not as it was packed: {', '.join(odd[:SHOWN])}")
    return manifest, folder


def set_up(manifest: Manifest, folder: Path, git: GitBundles, target: Path, at: Path | None = None) -> tuple[Path, str]:
    """Put repository and settings where they lay, as the kit's own script does; the settings file, and the commit. `at` is where
    `target` will be moved to."""
    target.mkdir()
    commit = git.unfold(folder / BUNDLE, target / manifest.repository, manifest.url)
    for path in sorted((folder / SETTINGS).rglob("*")):
        place = target / path.relative_to(folder / SETTINGS)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(path.read_bytes())
    if manifest.authority:
        git.trust(target / manifest.repository, (at or target) / manifest.authority)
    return target / manifest.settings, commit


def opened_by(house: House, identity: Path | Secret, public: frozenset[str]) -> House:
    """The house with its secrets opened by the key of the kit, where that is the house's own: by its file, or as sops has it."""
    if house.age_recipient not in public:
        return house
    source = f"file:{identity.absolute()}" if isinstance(identity, Path) else f"env:{KEY_VARIABLE}"
    return replace(house, age_key=SecretRef((source,)))


def of_people(ref: SecretRef, house: Path) -> list[Path]:
    """Where the files of a reference lie in the house that was laid out, those that people keep and that are not there yet."""
    places = (Path(source.removeprefix("file:")) for source in ref.sources if source.startswith("file:"))
    return [place for place in places if place.is_relative_to(house) and not place.exists()]


def bring(ref: SecretRef, kept: Path | None, house: Path, *, copy: bool = False) -> None:
    """Lay the files of a reference where they would lie, from the folder that people keep theirs in: by a link, so that no secret
    outlives a check that was killed; or as a copy that is this user's alone."""
    if kept is None:
        return
    for place in of_people(ref, house):
        brought = kept / place.relative_to(house)
        if brought.is_file():
            put(brought, place, copy=copy)


def put(secret: Path, place: Path, *, copy: bool) -> None:
    """One file of a secret, linked or copied to where it is looked for. Raises PermanentError."""
    try:
        place.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        if not copy:
            place.symlink_to(secret.absolute())
            return
        place.touch(mode=0o600, exist_ok=False)
        shutil.copyfile(secret, place)
    except OSError as error:
        raise PermanentError(f"{place} cannot be written: {error.strerror}") from error

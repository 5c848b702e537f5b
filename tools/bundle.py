"""One archive for a machine that is dark and offline: this checkout, the wheels of its environment, the programs that a run drives.

Run it with `python -m tools.bundle [FOLDER]` (`make bundle`). Unpacked anywhere, `./setup-offline` makes the environment and asks
no network. Every file's checksum is in it and is looked at before anything is installed.
"""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.files.whole import put_in_place
from engine.text.words import number
from tools.errors import ProgramMissing, ToolError
from tools.locate import Located, Place, look
from tools.manifest import Need, needed_by
from tools.places import CHECKOUT, Places

ROOT = "blackstart"
SUMS = "SHA256SUMS"
SETUP = "setup-offline"
WHEELS = "wheels"
Out = Callable[[str], None]

_SETUP = """\
#!/bin/sh
# Sets Blackstart up out of this archive alone: no network is asked.
set -eu
cd "$(dirname "$0")"
sha256sum --check --quiet {sums} || {{ echo "This archive is damaged: see above. Nothing was set up." >&2; exit 1; }}
python=${{PYTHON:-python3}}
"$python" - <<'END'
import platform, sys
here = f"Python {{sys.version_info[0]}}.{{sys.version_info[1]}} on {{platform.machine()}}"
meant = "{meant}"
if here != meant:
    sys.exit(f"This archive is for {{meant}}; here is {{here}}. Set PYTHON to another.")
END
"$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --no-index --find-links {wheels} \\
    --require-hashes --requirement requirements.lock
touch .venv/.installed
echo "Blackstart is set up. Next: . .venv/bin/activate && invoke tools.check --settings FILE"
"""


def archive_name(commit: str) -> str:
    """What the archive is called: which commit, which Python and machine its wheels and programs are for."""
    return f"blackstart-{commit[:12]}-py{sys.version_info[0]}{sys.version_info[1]}-{platform.machine()}.tar"


def fetch_wheels(folder: Path, out: Out) -> None:
    """Every wheel that the lock file pins, by its hash. ToolError when one cannot be had, or is none."""
    out("Fetching the wheels that requirements.lock pins ...")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    lock = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(CHECKOUT / "requirements.lock")]
    done = subprocess.run([*pip, *lock, "--dest", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ToolError(f"pip could not fetch the wheels: {said[-1]}")


def programs(places: Places, path: str | None = None) -> tuple[Located, ...]:
    """Those that a run drives, each where it was found. ProgramMissing names what is lacking."""
    found = tuple(look(program, places=places, path=path) for program in needed_by(Need.RUN))
    lacking = [one.program.name for one in found if not one.usable]
    if lacking:
        raise ProgramMissing(f"{', '.join(lacking)}: not here, so not for the archive. make programs builds what is missing")
    return found


def pack(archive: Path, wheels: Path, *, places: Places, commit: str, found: tuple[Located, ...]) -> int:
    """Write the archive whole or not at all; answers how many files it holds."""
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".bundle-") as name:
        root = Path(name) / ROOT
        root.mkdir()
        checkout = subprocess.run(
            ["git", "-C", str(places.checkout), "archive", "--format=tar", commit], capture_output=True, check=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(checkout)) as tar:
            tar.extractall(root, filter="data")
        shutil.copytree(wheels, root / WHEELS)
        inside = Places(root)
        for folder in (inside.programs, inside.stamps):
            folder.mkdir(parents=True)
        for one in found:
            assert one.path is not None, "a program that is usable lies somewhere"
            shutil.copy2(one.path, inside.program(one.program.name))
            stamp = places.stamps / f"{one.program.name}.json"
            if one.place is Place.CHECKOUT and stamp.exists():
                shutil.copy2(stamp, inside.stamps / stamp.name)
        _write_setup(root)
        files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        sums = "".join(f"{_sum(path)}  ./{path.relative_to(root)}\n" for path in files)
        (root / SUMS).write_text(sums, encoding="utf-8")
        whole = Path(name) / archive.name
        with tarfile.open(whole, "w") as tar:
            tar.add(root, ROOT)
        put_in_place(whole, archive)
        return len(files) + 1


def _write_setup(root: Path) -> None:
    meant = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.machine()}"
    path = root / SETUP
    path.write_text(_SETUP.format(sums=SUMS, wheels=WHEELS, meant=meant), encoding="utf-8")
    path.chmod(0o755)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    """Make the archive in FOLDER (this one by default)."""
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print("usage: python -m tools.bundle [FOLDER]", file=sys.stderr)
        return 2
    folder = Path(arguments[0] if arguments else ".").resolve()
    places = Places()
    try:
        if not folder.is_dir():
            raise ToolError(f"{folder} is no folder")
        git = ["git", "-C", str(places.checkout)]
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        if subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True).stdout:
            print(f"What is not committed is not in it: the archive holds {commit[:12]}.")
        found = programs(places)
        with tempfile.TemporaryDirectory(prefix="blackstart-wheels-") as wheels:
            fetch_wheels(Path(wheels), print)
            archive = folder / archive_name(commit)
            count = pack(archive, Path(wheels), places=places, commit=commit, found=found)
    except (ToolError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{archive}: {number(count, 'file')}, {archive.stat().st_size / 1e6:.0f} MB. Carry it where it is dark; there:")
    print(f"  tar xf {archive.name} && {ROOT}/{SETUP}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

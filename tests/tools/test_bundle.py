"""The archive for a dark and offline machine: made, damaged, unpacked into an empty folder, set up and run without any network."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.bundle import ROOT, SETUP, SUMS, archive_name, pack, programs
from tools.errors import ProgramMissing
from tools.places import CHECKOUT, Places

RUNTIME = ("invoke", "proxmoxer", "requests", "paramiko", "boto3", "lightkube", "httpx", "pydantic", "ruamel.yaml", "rich",
           "jinja2", "websockets", "cryptography", "zstandard", "protobuf", "jsonschema")  # fmt: skip
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


def installed(names: tuple[str, ...]) -> dict[str, importlib.metadata.Distribution]:
    """The distributions of this environment that these need, themselves and what extras may ask for included."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform, or an extra that nobody asked for
        waiting += [match[0] for one in found[name].requires or () if (match := re.match(r"[\w.-]+", one))]
    return found


def wheel_of(one: importlib.metadata.Distribution, folder: Path) -> Path:
    """A wheel of what is installed: the files as they lie there."""
    tags = [line.partition(": ")[2] for line in (one.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: ")]
    name = re.sub(r"[-_.]+", "_", one.metadata["Name"]).lower()
    wheel = folder / f"{name}-{one.version}-{tags[-1]}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in one.files or ():
            if ".." not in path.parts and "__pycache__" not in path.parts:
                archive.write(str(path.locate()), str(path))
    return wheel


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a checkout like this one: its files, programs that only say their names, and this environment's wheels."""
    place = tmp_path_factory.mktemp("bundle")
    wheels, checkout = place / "wheels", place / "checkout"
    wheels.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(CHECKOUT), str(checkout)], check=True)
    pinned = []
    for one in installed(RUNTIME).values():
        digest = hashlib.sha256(wheel_of(one, wheels).read_bytes()).hexdigest()
        pinned.append(f"{one.metadata['Name']}=={one.version} --hash=sha256:{digest}\n")
    (checkout / "requirements.lock").write_text("".join(pinned))
    git = ["git", "-C", str(checkout), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "commit", "--quiet", "--all", "--message", "wheels of this environment"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    made = place / archive_name(commit)
    count = pack(made, wheels, places=Places(checkout), commit=commit, found=())
    with tarfile.open(made) as tar:
        assert sum(member.isfile() for member in tar) == count
    assert not [path for path in place.iterdir() if path.name.startswith(".bundle-")]
    return made


def unpacked(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / ROOT


def setup(root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run its own script, with no network to be had; what is installed is compiled when it is first run."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "PYTHON": sys.executable, **OFFLINE, **more}
    environment["PIP_NO_COMPILE"] = "1"
    return subprocess.run([str(root / SETUP)], cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_unpacked_into_an_empty_folder_it_is_set_up_and_runs_offline(archive: Path, tmp_path: Path) -> None:
    root = unpacked(archive, tmp_path)
    done = setup(root)
    assert done.returncode == 0, done.stderr
    assert "Next: " in done.stdout
    environment = {"PATH": f"{root}/.venv/bin:/usr/bin:/bin", "HOME": str(tmp_path), **OFFLINE}

    def run(*arguments: str) -> str:
        argv = [str(root / ".venv" / "bin" / "invoke"), *arguments]
        return subprocess.run(argv, cwd=root, env=environment, check=True, capture_output=True, text=True, timeout=120).stdout

    assert "cluster.bootstrap" in run("--list")
    assert '"$schema"' in run("config.schema")
    assert "Everything that was shown held." in run("lab.demo", "--modelled")


def test_a_damaged_archive_sets_nothing_up(archive: Path, tmp_path: Path) -> None:
    root = unpacked(archive, tmp_path)
    with (root / "tasks.py").open("a") as file:
        file.write("# one more line\n")
    done = setup(root)
    assert done.returncode == 1
    assert "damaged" in done.stderr and "tasks.py" in done.stdout + done.stderr
    assert not (root / ".venv").exists()
    (root / SUMS).unlink()
    assert setup(root).returncode == 1


def test_another_python_is_told_and_sets_nothing_up(archive: Path, tmp_path: Path) -> None:
    root = unpacked(archive, tmp_path)
    script = root / SETUP
    script.write_text(script.read_text().replace('meant = "Python', 'meant = "Python of another kind, not'))
    sums = root / SUMS
    sums.write_text("".join(line + "\n" for line in sums.read_text().splitlines() if not line.endswith(f"./{SETUP}")))
    done = setup(root)
    assert done.returncode == 1 and "Set PYTHON to another" in done.stderr
    assert not (root / ".venv").exists()


def test_an_archive_without_a_program_that_a_run_drives_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match=r"talosctl.*make programs"):
        programs(Places(tmp_path), path=str(tmp_path))

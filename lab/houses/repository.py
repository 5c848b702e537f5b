"""Makes the house's home-ops repository: words filled in, talconfig written, secrets encrypted, committed, pushed.

Uses the programs that a person would use: talhelper, sops, git. Knows no door: it pushes to the bare repository's folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lab.houses.credentials import Credentials
from lab.houses.nouns import Block, HouseFolder, HouseShape, NodeShape
from lab.parts.errors import PartFailed
from lab.parts.programs import find

TEMPLATE = Path(__file__).resolve().parent / "home-ops"
DATABASE = Path(__file__).resolve().parent / "database"
"""What a house with a database has besides."""
NEIGHBOUR = Path(__file__).resolve().parent / "neighbour"
"""What a house with two applications has besides."""
BUNDLE = "talos/talsecret.sops.yaml"
ENCRYPTED = (
    BUNDLE,
    "kubernetes/components/common/cluster-secrets.sops.yaml",
    "kubernetes/components/common/sops-age.sops.yaml",
)
_SCHEDULED = "allowSchedulingOnControlPlanes: "
_TIMEOUT_S = 60.0


def make_repository(shape: HouseShape, folder: HouseFolder, block: Block, credentials: Credentials) -> None:
    """The clone `folder.clone` and the bare repository that it was pushed to. PartFailed with a program's own words."""
    clone = folder.clone
    shutil.copytree(TEMPLATE, clone)
    if shape.database:
        shutil.copytree(DATABASE, clone, dirs_exist_ok=True)
        with (clone / "kubernetes" / "apps" / "kustomization.yaml").open("a") as apps:
            apps.write("  - ./database\n")
    if shape.neighbour:
        shutil.copytree(NEIGHBOUR, clone, dirs_exist_ok=True)
        patch = clone / "talos" / "patches" / "controller" / "cluster.yaml"
        patch.write_text(patch.read_text().replace(f"{_SCHEDULED}true", f"{_SCHEDULED}false"))
    _fill(clone, _words(folder, block, credentials))
    (clone / "talos" / "talconfig.yaml").write_text(talconfig(shape, block))
    bundle = clone / BUNDLE
    bundle.touch(mode=0o600)
    bundle.write_bytes(_secrets())
    for secret in ENCRYPTED:
        run_program(clone, "sops", "encrypt", "--in-place", secret)
    _publish(clone, folder, block)


@cache
def _secrets() -> bytes:
    """What talhelper makes. Two seconds of work go into one of its keys: all houses that one process makes have the same."""
    with tempfile.TemporaryDirectory(prefix="secrets-") as empty:
        return run_program(Path(empty), "talhelper", "gensecret")


def talconfig(shape: HouseShape, block: Block) -> str:
    """What talhelper renders the machineconfigs from."""
    nodes = "".join(_node(node, block) for node in shape.nodes)
    return f"""---
clusterName: {shape.name}
talosVersion: ${{talosVersion}}
kubernetesVersion: ${{kubernetesVersion}}
endpoint: {block.endpoint}
{_SCHEDULED}{"false" if shape.neighbour else "true"}
additionalApiServerCertSans: ["{block.vip}"]
cniConfig:
  name: none

nodes:
{nodes}
patches:
  - "@./patches/global/machine-kubelet.yaml"

controlPlane:
  patches:
    - "@./patches/controller/cluster.yaml"
"""


def _node(node: NodeShape, block: Block) -> str:
    vip = f"\n        vip:\n          ip: {block.vip}" if node.control_plane else ""
    return f"""  - hostname: {node.name}
    ipAddress: {block.node(node)}
    controlPlane: {"true" if node.control_plane else "false"}
    installDisk: /dev/sda
    networkInterfaces:
      - deviceSelector:
          hardwareAddr: "{node.mac}"
        addresses: ["{block.node(node)}/24"]
        dhcp: false{vip}
"""


def _words(folder: HouseFolder, block: Block, credentials: Credentials) -> Mapping[str, str]:
    pem = folder.ca_file.read_text()
    return {
        "AGE": credentials.age_recipient,
        "AGE_KEY": credentials.age_key.reveal(),
        "CHARTS": block.charts,
        "CA": str(folder.ca_file),
        "CA_PEM": "\n".join(f"    {line}" for line in pem.splitlines()),
        "GIT": block.git,
        "BACKUPS": block.backups,
        "PREFIX": block.prefix,
        "RESTIC_PASSWORD": credentials.restic_password.reveal(),
        "BACKUP_KEY_ID": credentials.store_key_id.reveal(),
        "BACKUP_KEY": credentials.store_key.reveal(),
    }


def _fill(clone: Path, words: Mapping[str, str]) -> None:
    for file in clone.rglob("*.yaml"):
        before = text = file.read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        if text != before:
            file.write_text(text)


def _publish(clone: Path, folder: HouseFolder, block: Block) -> None:
    bare = folder.git / "home-ops.git"
    bare.mkdir(parents=True)
    run_program(bare, "git", "init", "--quiet", "--bare", "--initial-branch=main")
    run_program(bare, "git", "config", "http.receivepack", "true")
    run_program(clone, "git", "init", "--quiet", "--initial-branch=main")
    for key, value in (
        ("user.name", "lab"),
        ("user.email", "lab@house.invalid"),
        ("http.sslCAInfo", str(folder.ca_file)),
    ):
        run_program(clone, "git", "config", key, value)
    run_program(clone, "git", "remote", "add", "origin", block.git)
    run_program(clone, "git", "add", "--all")
    run_program(clone, "git", "commit", "--quiet", "--message", "Begin the lab's house")
    # The Git door is not open yet: what a push through it would leave behind is made by hand.
    run_program(clone, "git", "push", "--quiet", str(bare), "main")
    run_program(clone, "git", "update-ref", "refs/remotes/origin/main", "main")
    run_program(clone, "git", "branch", "--quiet", "--set-upstream-to=origin/main", "main")


def run_program(folder: Path, program: str, *arguments: str) -> bytes:
    """Run git or a program of the manifest in `folder`; its output. PartFailed with its last words when it fails."""
    path = shutil.which("git") if program == "git" else str(find(program))
    if path is None:
        raise PartFailed("git is not on PATH", hint="install git")
    # The developer's own Git settings, keys and proxies have no say in the lab.
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(
        [path, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").splitlines()
        raise PartFailed(f"{program} {arguments[0]} failed in the house's repository", evidence=tuple(lines[-8:]))
    return done.stdout

"""The wire bench of the Talos contract: a real Talos house on disk, real talosctl and talhelper, machines behind gRPC."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from adapters.ports import Talos
from adapters.process.results import NO_ENVIRONMENT, Finished, ProgramFailed
from adapters.talos.adapter import TalosctlTalos
from adapters.talos.machineconfigs import TalhelperMachineconfigs
from adapters.talos.newbundle import GENSECRET_S
from adapters.talos.port import Machineconfigs
from engine.errors import TransientError
from engine.secrets import Secret
from house.model import House
from lab.wire.talos.door import TalosDoor
from lab.world.machines.etcd_life import EtcdDelays
from lab.world.machines.talos import TalosDelays, TalosWorld
from lab.world.world import World
from tests.builders import a_house
from tests.contract.apiserver import needed, program

PROGRAMS = ("talosctl", "talhelper", "sops", "age-keygen")
GENSECRET = ("talhelper", "gensecret")
QUICK = TalosDelays(
    boot_s=0.3, gap_s=0.3, install_s=0.4, reboot_s=0.6, kubelet_s=0.2, etcd=EtcdDelays(start_s=0.2, join_s=0.2, promote_s=0.2)
)


class RealClock:
    """Time as it is."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@cache
def secrets() -> bytes:
    """What talhelper makes, once: two seconds of work go into one of its keys."""
    return PlainRunner(Path("/nowhere")).run(GENSECRET, timeout_s=GENSECRET_S).stdout


class PlainRunner:
    """Runs a program and nothing else: what adapters/process promises beyond that is its own tests' matter.

    `known`: what a program has said to these words before, and need not be run for again.
    """

    def __init__(self, home: Path, known: Mapping[tuple[str, ...], bytes] | None = None) -> None:
        self._home = home
        self._known = known or {}
        self.argv: list[Sequence[str]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        self.argv.append(tuple(argv))
        if (said := self._known.get(tuple(argv))) is not None:
            return Finished(argv[0], 0, said, (), 0.0)
        found = program(argv[0])
        assert found is not None
        given = {"HOME": str(self._home), "PATH": os.environ["PATH"]}
        given |= {key: value.reveal() if isinstance(value, Secret) else value for key, value in env.items()}
        fed = stdin.reveal().encode() if isinstance(stdin, Secret) else stdin or b""
        began = time.monotonic()
        done = subprocess.run([found, *argv[1:]], env=given, cwd=cwd, input=fed, capture_output=True, timeout=timeout_s)
        tail = tuple(done.stderr.decode(errors="replace").splitlines()[-25:])
        finished = Finished(argv[0], done.returncode, done.stdout, tail, time.monotonic() - began)
        if done.returncode not in ok:
            raise ProgramFailed(f"{argv[0]} ended with {done.returncode}", finished, tail)
        return finished


class TalosHouseFiles:
    """A home-ops repository's Talos folder with a secrets bundle, encrypted for an age key beside it."""

    def __init__(self, folder: Path) -> None:
        needed(*PROGRAMS)
        self.block = f"127.77.{os.getpid() % 250}"
        self.folder = folder
        self.runner = PlainRunner(folder)
        (folder / "talos").mkdir()
        key = self.runner.run(["age-keygen"], timeout_s=20).stdout.decode()
        self.age_key = Secret(next(line for line in key.splitlines() if line.startswith("AGE-SECRET-KEY")))
        self.recipient = self.runner.run(["age-keygen", "-y"], stdin=self.age_key, timeout_s=20).stdout.decode().strip()
        (folder / ".sops.yaml").write_text(f"creation_rules:\n  - path_regex: talos/.*\\.sops\\.yaml$\n    age: {self.recipient}\n")
        self._encrypt(secrets())
        self.house = self._house()
        self.house.cluster.talconfig.write_text(json.dumps(self._talconfig(), indent=2))

    def new_bundle(self) -> None:
        """Make another secrets bundle, encrypted in place, over the one that is there."""
        self._encrypt(self.runner.run(GENSECRET, timeout_s=GENSECRET_S).stdout)

    def _encrypt(self, plain: bytes) -> None:
        bundle = self.folder / "talos" / "talsecret.sops.yaml"
        bundle.write_bytes(plain)
        self.runner.run(["sops", "--encrypt", "--in-place", "--age", self.recipient, str(bundle)], timeout_s=60)

    def _house(self) -> House:
        house = a_house(root=self.folder, state_dir=self.folder / "state")
        nodes = tuple(replace(n, address=f"{self.block}.{11 + i}") for i, n in enumerate(house.nodes))
        cluster = replace(
            house.cluster,
            endpoint=f"https://{self.block}.10:6443",
            talconfig=self.folder / "talos" / "talconfig.yaml",
            secrets_bundle=self.folder / "talos" / "talsecret.sops.yaml",
        )
        return replace(house, nodes=nodes, cluster=cluster)

    def _talconfig(self) -> dict[str, object]:
        cluster = self.house.cluster
        nodes = [
            {"hostname": n.name, "ipAddress": n.address, "installDisk": n.install_disk, "controlPlane": n.control_plane}
            for n in self.house.nodes
        ]
        return {
            "clusterName": cluster.name,
            "talosVersion": cluster.talos_version,
            "kubernetesVersion": cluster.kubernetes_version,
            "endpoint": cluster.endpoint,
            "nodes": nodes,
        }


class WireBench:
    """The real adapter with real programs, against the World's machines on loopback addresses."""

    def __init__(self, files: TalosHouseFiles, folder: Path) -> None:
        self.files = files
        self.house = replace(files.house, state_dir=folder / "state")
        self.world = TalosWorld(World(RealClock(), seed=7), QUICK)
        for node in self.house.nodes:
            self.world.plug_in(node.mac, node.address)
        rendering = TalhelperMachineconfigs(
            self.house.cluster,
            [n.name for n in self.house.nodes],
            self.house.state_dir,
            files.runner,
            lambda: files.age_key,
            age_recipient=files.recipient,
        )
        self.machineconfigs: Machineconfigs = rendering
        self.talos: Talos = TalosctlTalos(self.house.state_dir, files.runner, rendering.os_ca)
        self._door = TalosDoor(self.world, folder / "door").start()

    def until(self, seen: Callable[[], bool], what: str) -> None:
        """Look again and again; three minutes must do, also on a busy machine. A look may meet a machine between two phases."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            with suppress(TransientError):
                if seen():
                    return
            time.sleep(0.05)
        raise AssertionError(f"never came: {what}")

    def let_pass(self, seconds: float) -> None:
        """Nothing: time passes here by itself."""

    def forget_bundle(self) -> None:
        """Another bundle is another cluster."""
        self.files.new_bundle()
        self.machineconfigs.render()

    def lose_bundle(self) -> None:
        """Take it away."""
        self.house.cluster.secrets_bundle.unlink()

    def close(self) -> None:
        """Shut every door."""
        self._door.close()

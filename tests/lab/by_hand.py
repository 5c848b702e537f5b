"""A person at a house of the lab: unmodified clients, and nothing of ours but the addresses in endpoints.json."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3
from proxmoxer import ProxmoxAPI

from tests.contract.apiserver import program

WAIT_S = 90.0


class Hand:
    """Types the commands of a bootstrap of a house with one node."""

    def __init__(self, endpoints: Path, folder: Path) -> None:
        self.told: dict[str, Any] = json.loads(endpoints.read_text())
        self.folder = folder
        ((self.node, address),) = self.told["talos"].items()
        self.address = address.partition(":")[0]
        self.clone = Path(self.told["git"]["clone"])
        home = str(folder / "home")
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": home,
            "SOPS_AGE_KEY_FILE": self.told["age_key_file"],
            "KUBECONFIG": str(folder / "kubeconfig"),
            "HELM_CACHE_HOME": home,
            "HELM_CONFIG_HOME": home,
            "HELM_DATA_HOME": home,
            "HELMFILE_CACHE_HOME": home,
            "HELMFILE_UPGRADE_NOTICE_DISABLED": "1",
        }

    def run(self, name: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program with nothing but the house's own settings."""
        path = program(name)
        assert path is not None
        # helmfile and talhelper find their helpers beside them.
        environment = self._environment | {"PATH": f"{Path(path).parent}:{self._environment['PATH']}"}
        done = subprocess.run(
            [path, *arguments],
            env=environment, cwd=self.clone / "talos", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(
                f"{name} {' '.join(arguments)}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        return done

    def talosctl(self, *arguments: str, insecure: bool = False, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One call of this node's API; `insecure`: of its maintenance API."""
        how = ("--insecure",) if insecure else ("--talosconfig", str(self.folder / "rendered" / "talosconfig"))
        return self.run("talosctl", *arguments, *how, "-n", self.address, "-e", self.address, check=check)

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        """What kubectl prints."""
        return self.run("kubectl", *arguments, check=check).stdout

    def until(self, seen: Callable[[], bool], what: str) -> None:
        """Look again and again."""
        deadline = time.monotonic() + WAIT_S
        while not seen():
            assert time.monotonic() < deadline, f"never came: {what}"
            time.sleep(0.1)

    def make_vm(self) -> None:
        """Download the image, make the VM from it, start it: by the Proxmox API as proxmoxer speaks it."""
        proxmox = self.told["proxmox"]
        ((host, url),) = proxmox["hosts"].items()
        address, _, port = url.removeprefix("https://").partition(":")
        user, _, name = proxmox["token_id"].partition("!")
        token = Path(proxmox["token_secret_file"]).read_text()
        with urllib3.PoolManager():
            api = ProxmoxAPI(
                address,
                port=int(port),
                user=user,
                token_name=name,
                token_value=token,
                verify_ssl=self.told["ca_file"],
                timeout=30,
            )
        node = api.nodes(host)
        image = self.told["factory"]["image"]
        self._done(
            node, node.storage("local")("download-url").post(content="import", filename="talos.qcow2", url=image)
        )
        made = node.qemu.post(
            vmid=8001, name=self.node, memory=4096, cores=2, cpu="x86-64-v2-AES", scsihw="virtio-scsi-single", boot="order=scsi0",
            scsi0="local-lvm:0,import-from=local:import/talos.qcow2", net0="virtio=BC:24:11:00:00:01,bridge=vmbr0",
        )  # fmt: skip
        self._done(node, made)
        self._done(node, node.qemu(8001).status.start.post())

    def _done(self, node: Any, upid: str) -> None:
        self.until(lambda: node.tasks(upid).status.get()["status"] == "stopped", upid)
        assert node.tasks(upid).status.get()["exitstatus"] == "OK", node.tasks(upid).log.get()

    def install_talos(self) -> None:
        """From maintenance to a bootstrapped etcd and a kubeconfig."""
        self.until(lambda: not self.talosctl("version", insecure=True, check=False).returncode, "maintenance")
        self.run("talhelper", "genconfig", "--offline-mode", "--out-dir", str(self.folder / "rendered"))
        config = self.folder / "rendered" / f"{self.told['house']}-{self.node}.yaml"
        self.talosctl("apply-config", "--file", str(config), insecure=True)
        self.until(lambda: not self.talosctl("bootstrap", check=False).returncode, "bootstrap")
        self.until(lambda: self.node in self.talosctl("etcd", "members", check=False).stdout, "etcd")
        self.talosctl("kubeconfig", str(self.folder / "kubeconfig"), "--merge=false", "--force")
        self.until(lambda: self.kubectl("get", "--raw", "/readyz", check=False) == "ok", "API server")

    def install_releases(self) -> None:
        """What must be there before Flux, then every release of the helmfile."""
        key = f"--from-file=age.agekey={self.told['age_key_file']}"
        self.kubectl("create", "namespace", "flux-system")
        self.kubectl("--namespace", "flux-system", "create", "secret", "generic", "sops-age", key)
        self.run("helmfile", "--file", str(self.clone / "bootstrap" / "helmfile.d" / "01-apps.yaml"), "sync")

"""The Machineconfigs port on talhelper: renders into the house's state folder and tells what is there. Knows no node's state."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from adapters.certificates import ends_at
from adapters.process.results import Runner
from adapters.talos import kubeconfig
from adapters.talos.bundle import BundleUnusable, SecretsBundle
from adapters.talos.machineconfig import config_digest, documents
from adapters.talos.newbundle import make_bundle
from adapters.talos.paths import TalosFiles
from adapters.talos.redaction import register_secrets
from adapters.talos.results import Authority
from adapters.talos.talosconfig import admin_certificate_good, talosconfig_ca
from engine.errors import PermanentError
from engine.files.whole import put_instead
from engine.secrets import Secret
from engine.text.jsontext import Malformed, an_object, read_file
from engine.text.words import last_lines
from house.model import TalosCluster

RENDER_S = 120.0
KEYGEN_S = 20.0
VALIDATE_S = 30.0
_AUTHORITIES = {
    "os": "the Talos CA", "k8s": "the Kubernetes CA", "k8saggregator": "the aggregator's CA", "etcd": "etcd's CA",
}  # fmt: skip
_REFERENCE = re.compile(r"""@(?P<path>\.{1,2}/[^\s"']+|/[^\s"']+)""")


class TalhelperMachineconfigs:
    """See talos.port.Machineconfigs.

    `nodes` are the names that must come out of talconfig, `age_recipient` the one in .sops.yaml ("" when none is named),
    `age_key` resolves the key late, `versions` names the programs, since another talhelper may render otherwise.
    """

    def __init__(
        self,
        cluster: TalosCluster,
        nodes: Sequence[str],
        state_dir: Path,
        runner: Runner,
        age_key: Callable[[], Secret],
        *,
        age_recipient: str = "",
        versions: str = "",
    ) -> None:
        self._cluster = cluster
        self._nodes = tuple(nodes)
        self._files = TalosFiles(state_dir)
        self._runner = runner
        self._age_key = age_key
        self._recipient = age_recipient
        self._versions = versions
        self._bundle = SecretsBundle(cluster.secrets_bundle, runner, age_key)
        self._ca_of: tuple[str, str] = ("", "")

    def digest(self, node: str) -> str:
        """See talos.port.MachineconfigsView."""
        file = self._files.machineconfig(node)
        return config_digest(file.read_text(encoding="utf-8")) if file.is_file() else ""

    def wanted(self) -> str:
        """See talos.port.MachineconfigsView."""
        summed = hashlib.sha256(f"{self._versions}\n{sorted(self._nodes)}\n".encode())
        for path in sorted(self._read_by_rendering()):
            summed.update(f"{path}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode("utf-8", "surrogateescape"))
        return summed.hexdigest()[:32]

    def rendered_from(self) -> str:
        """See talos.port.MachineconfigsView. An admin certificate that soon expires counts as a missing file."""
        try:
            noted = read_file(self._files.inputs, an_object)
        except (OSError, Malformed):
            return ""
        files = noted.get("files")
        sums = files if isinstance(files, dict) else {}
        for node in self._nodes:
            file = self._files.machineconfig(node)
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sums.get(node):
                return ""
        return str(noted.get("inputs", "")) if admin_certificate_good(self._files.talosconfig) else ""

    def kubeconfig_ok(self) -> bool:
        """See talos.port.MachineconfigsView. Nothing rendered: the bundle says which CA is ours, and talconfig where the API is."""
        found = kubeconfig.read(self._files.kubeconfig)
        if found is None or not found.current or found.ca != self.kubernetes_ca():
            return False
        return kubeconfig.same_place(found.server, self._endpoint())

    def bundle_problem(self) -> str:
        """See talos.port.MachineconfigsView."""
        try:
            self._bundle.load()
        except PermanentError as problem:
            return "; ".join((problem.what, *problem.evidence))
        return ""

    def bundle_there(self) -> bool:
        """See talos.port.MachineconfigsView."""
        return os.path.lexists(self._cluster.secrets_bundle)

    def age_key_problem(self) -> str:
        """See talos.port.MachineconfigsView."""
        try:
            key = self._age_key()
        except PermanentError as problem:
            return "; ".join((problem.what, *problem.evidence))
        done = self._runner.run(["age-keygen", "-y"], stdin=key, timeout_s=KEYGEN_S, ok=range(256))
        if done.code != 0:
            return "the age key is no age identity"
        public = done.stdout.decode().split()
        if self._recipient and self._recipient not in public:
            return f"the age key belongs to {', '.join(public)}, .sops.yaml encrypts for {self._recipient}"
        try:
            self._bundle.load()
        except BundleUnusable as problem:
            return problem.what if "decrypt" in problem.what else ""
        return ""

    def render_problem(self) -> str:
        """See talos.port.MachineconfigsView."""
        beside = self._files.folder.parent
        with tempfile.TemporaryDirectory(prefix="trial-", dir=beside if beside.is_dir() else None) as folder:
            try:
                self._bundle.load()
                self._talhelper(Path(folder))
                for node in self._nodes:
                    file = _made_for(Path(folder), self._cluster.name, node)
                    register_secrets(list(documents(file.read_text(encoding="utf-8"))))
                    if problem := self._invalid(file):
                        return f"{node}: {problem}"
            except PermanentError as problem:
                return "; ".join((problem.what, *problem.evidence))
        return ""

    def authorities(self) -> tuple[Authority, ...]:
        """See talos.port.MachineconfigsView."""
        return tuple(Authority(said, ends_at(self._bundle.certificate(name))) for name, said in _AUTHORITIES.items())

    def _invalid(self, file: Path) -> str:
        """What talosctl says against this machineconfig, "" for nothing. `metal` demands all that an installed machine needs."""
        done = self._runner.run(
            ["talosctl", "validate", "--config", str(file), "--mode", "metal"], timeout_s=VALIDATE_S, ok=range(256)
        )
        return "" if done.code == 0 else "; ".join(last_lines(done.stderr_tail, 5))

    def os_ca(self) -> str:
        """Our Talos CA as PEM: out of the rendered talosconfig if it is up to date, else out of the bundle, "" without either."""
        wanted = self.wanted()
        if self._ca_of[0] != wanted:
            ca = talosconfig_ca(self._files.talosconfig) if self.rendered_from() == wanted else ""
            self._ca_of = (wanted, ca or self._from_bundle("os"))
        return self._ca_of[1]

    def render(self) -> None:
        """See talos.port.Machineconfigs. The old files stay until all new ones are there."""
        self._bundle.load()
        fresh = self._files.folder.with_name("machineconfigs.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        try:
            wanted = self.wanted()
            self._talhelper(fresh)
            self._settle(fresh, wanted)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self._ca_of = ("", "")

    def make_bundle(self) -> None:
        """See talos.port.Machineconfigs."""
        make_bundle(self._cluster.secrets_bundle, self._runner, self._age_key)
        self._ca_of = ("", "")

    def _talhelper(self, out: Path) -> None:
        talconfig = self._cluster.talconfig
        self._runner.run(
            [
                "talhelper", "genconfig", "--config-file", str(talconfig), "--secret-file", str(self._cluster.secrets_bundle),
                "--out-dir", str(out), "--no-gitignore", "--offline-mode", "--disable-nodes-section",
            ],
            env={"SOPS_AGE_KEY": self._age_key()},
            cwd=talconfig.parent,
            timeout_s=RENDER_S,
        )  # fmt: skip

    def _settle(self, fresh: Path, wanted: str) -> None:
        """Give talhelper's files their names and modes, note what they were made from, and put them in place."""
        sums: dict[str, str] = {}
        for node in self._nodes:
            file = _made_for(fresh, self._cluster.name, node)
            text = file.read_text(encoding="utf-8")
            register_secrets(list(documents(text)))
            sums[node] = hashlib.sha256(text.encode()).hexdigest()
            file.rename(fresh / f"{node}.yaml")
        talosconfig_ca(fresh / "talosconfig")
        (fresh / "inputs.json").write_text(json.dumps({"inputs": wanted, "files": sums}), encoding="utf-8")
        for file in fresh.iterdir():
            file.chmod(0o600)
        put_instead(fresh, self._files.folder, self._files.folder.with_name("machineconfigs.old"))

    def _read_by_rendering(self) -> Iterator[Path]:
        """Every file below talconfig's folder but what talhelper writes there, the bundle, and what `@path` names outside."""
        folder = self._cluster.talconfig.parent
        found = {
            path
            for path in folder.rglob("*")
            if path.is_file() and "clusterconfig" not in path.parts[len(folder.parts) :]
        }
        found.add(self._cluster.secrets_bundle)
        if self._cluster.talconfig.is_file():
            text = self._cluster.talconfig.read_text(encoding="utf-8")
            found.update((folder / match["path"]).resolve() for match in _REFERENCE.finditer(text))
        yield from (path for path in found if path.is_file())

    def kubernetes_ca(self) -> str:
        """The Kubernetes CA's certificate as PEM: out of a rendered machineconfig, else out of the bundle, "" without either."""
        for node in self._nodes:
            file = self._files.machineconfig(node)
            ca = kubeconfig.kubernetes_ca(documents(file.read_text(encoding="utf-8"))) if file.is_file() else ""
            if ca:
                return ca
        return self._from_bundle("k8s")

    def _endpoint(self) -> str:
        for node in self._nodes:
            file = self._files.machineconfig(node)
            said = kubeconfig.endpoint(documents(file.read_text(encoding="utf-8"))) if file.is_file() else ""
            if said:
                return said
        return self._cluster.endpoint

    def _from_bundle(self, authority: str) -> str:
        try:
            return self._bundle.certificate(authority)
        except PermanentError:
            return ""


def _made_for(folder: Path, cluster: str, node: str) -> Path:
    """talhelper's file for a node: `<cluster>-<node>.yaml`, unless talconfig's filenameTmpl names it otherwise."""
    usual = folder / f"{cluster}-{node}.yaml"
    if usual.is_file():
        return usual
    others = sorted(path for path in folder.glob("*.y*ml") if path.stem == node or path.stem.endswith(f"-{node}"))
    if len(others) != 1:
        raise PermanentError(
            f"talhelper made no machineconfig for {node}",
            evidence=tuple(sorted(path.name for path in folder.iterdir())),
            hint="see that talconfig.yaml has a node of this hostname",
        )
    return others[0]

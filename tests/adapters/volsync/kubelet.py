"""A kubelet of twenty lines that runs the reader's own script on a folder, and the server of its logs."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import (
    CLAIM,
    EVENT,
    JOB,
    POD,
)
from lab.parts.plane.pki import authority, issue

NS = "contents"
MOVER = "registry.example/volsync/mover:1.2@sha256:0123"


class Logs(ThreadingHTTPServer):
    """The log door of a kubelet: /containerLogs/NAMESPACE/POD/CONTAINER."""

    daemon_threads = True

    def __init__(self, address: str, folder: Path) -> None:
        super().__init__((address, 0), _LogHandler)
        self.logs: dict[str, bytes] = {}
        certificate, key = issue(authority("kubelet"), "kubelet", addresses=[address]).write(folder, "kubelet")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)


class _LogHandler(BaseHTTPRequestHandler):
    server: Logs

    def do_GET(self) -> None:
        parts = self.path.split("?")[0].split("/")
        log = self.server.logs.get(parts[3]) if parts[1] == "containerLogs" and parts[4] == "reader" else None
        self.send_response(404 if log is None else 200)
        self.send_header("Content-Length", str(len(log or b"")))
        self.end_headers()
        self.wfile.write(log or b"")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@dataclass
class Kubelet:
    """Runs each reader's Job once: what its script prints on `volume` becomes the log, cut after `cut` bytes."""

    client: ApiClient
    logs: Logs
    volume: Path
    cut: int | None = None
    starts: bool = True
    pulls: bool = True
    warns: str = ""
    restic: str = "exit 1"
    unreadable: int = 0
    jobs: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def loop(self) -> None:
        while not self._stop.wait(0.02):
            for job in self.client.list_objects(JOB, NS):
                if job["metadata"]["uid"] not in [j["metadata"]["uid"] for j in self.jobs]:
                    self.run(job)
            for claim in self.client.list_objects(CLAIM, NS, labels="app.kubernetes.io/component=reader"):
                if claim["metadata"].get("deletionTimestamp"):
                    # What the controller that protects claims in use does, once nobody uses it.
                    self.client.merge(CLAIM, claim["metadata"]["name"], {"metadata": {"finalizers": None}}, NS)

    def run(self, job: dict[str, Any]) -> None:
        name, template = job["metadata"]["name"], job["spec"]["template"]
        data = template["spec"]["volumes"][0]
        if "emptyDir" not in data:
            claim = self.client.get(CLAIM, data["persistentVolumeClaim"]["claimName"], NS)
            if claim is None or not self.starts:
                return
            self.claims.append(claim)
        self.jobs.append(job)
        container = template["spec"]["containers"][0]
        if not self.pulls:
            self.wait(name, template["spec"])
            return
        env = {e["name"]: e.get("value", "") for e in container["env"]}
        script = (
            container["command"][2]
            .replace("cd /data", f"cd '{self.volume}'")
            .replace("t=/tmp/", f"t={self.volume.parent}/")
        )
        tools = self.volume.parent / "bin"
        tools.mkdir(exist_ok=True)
        (tools / "restic").write_text(f"#!/bin/sh\n{self.restic}\n")
        (tools / "restic").chmod(0o755)
        if self.unreadable:
            self.unreadable -= 1
            script = script.replace("total=$(wc", "echo 'find: ./a: Permission denied' >> \"$t/errors\"; total=$(wc", 1)
        done = subprocess.run(
            [*container["command"][:2], script],
            env={"PATH": f"{tools}:{os.environ['PATH']}", **env},
            capture_output=True,
            timeout=30,
        )
        pod = f"{name}-x"
        self.logs.logs[pod] = done.stdout[: self.cut]
        labels = {"batch.kubernetes.io/job-name": name}
        spec = template["spec"] | {"nodeName": "reader-node"}
        self.client.create(POD, {"metadata": {"name": pod, "labels": labels}, "spec": spec}, NS)
        phase = "Succeeded" if done.returncode == 0 else "Failed"
        status(self.client, POD.path(NS, pod, "status"), {"phase": phase})

    def wait(self, job: str, spec: dict[str, Any]) -> None:
        """A pod of this Job that does not start: its image is not pulled, or a warning says what is wrong with its volume."""
        pod = f"{job}-x"
        labels = {"batch.kubernetes.io/job-name": job}
        metadata = {"name": pod, "labels": labels}
        made = self.client.create(POD, {"metadata": metadata, "spec": spec | {"nodeName": "reader-node"}}, NS)
        reason, message = ("ContainerCreating", "") if self.warns else ("ImagePullBackOff", "Back-off pulling image")
        waiting = {"reason": reason} | ({"message": message} if message else {})
        container = {"name": "reader", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        told = container | {"state": {"waiting": waiting}}
        status(self.client, POD.path(NS, pod, "status"), {"phase": "Pending", "containerStatuses": [told]})
        if self.warns:
            about = {"kind": "Pod", "name": pod, "namespace": NS, "uid": made["metadata"]["uid"]}
            event = {"type": "Warning", "reason": self.warns, "message": "the volume is elsewhere", "involvedObject": about}
            self.client.create(EVENT, {"metadata": {"generateName": "w-"}, **event}, NS)

    def stop(self) -> None:
        self._stop.set()


def status(client: ApiClient, path: str, value: dict[str, Any]) -> None:
    client.demand("PATCH", path, "status", body={"status": value}, content_type="application/merge-patch+json")

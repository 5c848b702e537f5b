"""The pod that starts an application on its restored data, without a network, and asks it over HTTP. As objects; asks nobody.

The application is a sidecar of the one that asks (an init container with `restartPolicy: Always`): it is started first, is reached
at the pod's own loopback, and ends once the other has its answer. Only what it answered is said of the data: one that does not
start may want what it cannot have here.
"""

from __future__ import annotations

from adapters.drills.results import Examined, Health, Phase
from adapters.kubernetes.objects import Obj, rows, table, text
from house.values.rehearsing import ClaimProbe

APPLICATION = "application"
SPARE_S = 60.0
"""So long before the pod's own end whoever asks gives up, so that it can say why."""

ASK = r"""
import http.client, os, time
port, page, until = int(os.environ["PORT"]), os.environ["PAGE"], time.monotonic() + float(os.environ["PATIENCE_S"])
health, said = "unseen", "nothing has answered"
while time.monotonic() < until:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        asked.request("GET", page)
        answer = asked.getresponse()
        answer.read(1 << 20)
        good = 200 <= answer.status < 400
        health, said = "ok" if good else "bad", f"it answers {answer.status} to {page}"
        if good:
            break
    except (OSError, http.client.HTTPException) as error:
        if health == "unseen":
            said = f"nothing has answered at port {port}: {type(error).__name__}"
    finally:
        asked.close()
    time.sleep(1)
print("p", health, "".join(c if c.isprintable() else "?" for c in said)[:300], flush=True)
print("end", flush=True)
"""
"""`p ok`, `p bad` (the last answer was an error) or `p unseen`, then `end`: as probes.py has it."""


def with_application(spec: Obj, probe: ClaimProbe) -> Obj:
    """The pod of the probe with the application beside it: its volume is where the application looks for its data."""
    (asking,) = spec["containers"]
    data = [mount | {"mountPath": probe.at} for mount in asking["volumeMounts"] if mount["name"] == "data"]
    application: Obj = {
        "name": APPLICATION,
        "image": probe.image,
        "restartPolicy": "Always",
        "env": [{"name": key, "value": value} for key, value in probe.environment],
        "volumeMounts": [*data, *(mount for mount in asking["volumeMounts"] if mount["name"] == "tmp")],
        # It writes where it likes, as at home; what it may, it may as whoever restored.
        "securityContext": {**asking["securityContext"], "readOnlyRootFilesystem": False},
    }
    if probe.command:
        application["command"] = list(probe.command)
    others = [mount for mount in asking["volumeMounts"] if mount["name"] != "data"]
    return spec | {"initContainers": [application], "containers": [asking | {"volumeMounts": others}]}


def told_of(found: Examined, pod: Obj) -> Examined:
    """With how the application ended, where it has answered nothing."""
    if found.phase is not Phase.DONE or found.health is not Health.UNSEEN:
        return found
    for status in rows(pod, "status", "initContainerStatuses"):
        ended = table(status, "lastState", "terminated") or table(status, "state", "terminated")
        times = status.get("restartCount")
        if text(status, "name") == APPLICATION and ended and isinstance(times, int) and times:
            why = text(ended, "reason") or "no reason given"
            told = f"the application has ended {times} times, with exit code {ended.get('exitCode', 'unknown')} ({why})"
            return Examined(Phase.DONE, Health.UNSEEN, f"{found.detail}; {told}")
    return found

"""The Jobs of a drill and the claims that they write into, as objects; and what their logs say. Asks no API by itself."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from adapters.backups.sayings import Saying, meaning
from adapters.drills import script
from adapters.drills.answers import ASK, SPARE_S, with_application
from adapters.drills.fence import LABELS, MOVERS, SCRATCH
from adapters.drills.probes import SCRIPTS
from adapters.drills.results import Examination, Order, Phase, Restore, Trouble
from adapters.drills.store import CANARY
from adapters.kubernetes.objects import Obj, rows, table, text
from adapters.process.results import Finished
from adapters.volsync.mover import Mover
from adapters.volsync.pod import pod_of
from adapters.volsync.reader import OPEN_S, Reading, Request, read_log
from adapters.volsync.readerjob import at_once
from house.files.grammar import number_of
from house.values.rehearsing import PYTHON, WRITES, Preset

CONTAINER = "drill"
_KEPT_S = 24 * 3600
PATIENCE_S = 50
"""For so long a mover's pod may try to reach the store: some network plugins let a pod's traffic through only some seconds after it
has started."""
SENTINEL = "canary"
"""The canary's claim, the Job that writes into it and its ReplicationSource."""
_NO_STORE = Mover(False, ())
_SLACK = 64 << 20
_LIMIT_S = 6 * 3600
_TIMED_OUT = 124  # what timeout(1) ends with
_TROUBLES = {
    Saying.NO_REPOSITORY: Trouble.NO_REPOSITORY,
    Saying.NO_KEY_FITS: Trouble.WRONG_PASSWORD,
    Saying.NO_SNAPSHOT: Trouble.NO_SNAPSHOT,
    Saying.REFUSED: Trouble.REFUSED,
    Saying.UNREACHABLE: Trouble.UNREACHABLE,
    Saying.LOCKED: Trouble.UNREACHABLE,
    Saying.ENDED: Trouble.UNREACHABLE,
    Saying.DAMAGED: Trouble.DAMAGED,
}


def job_name(what: str, into: str) -> str:
    """The Job's name for this work on this scratch claim: the same in every process."""
    # Names that begin so are given a mover's way to the store by a house's own policies.
    return f"volsync-rehearsal-{hashlib.sha256(f'{what} {into}'.encode()).hexdigest()[:12]}"


def scratch_claim(order: Order, destination: Obj) -> Obj:
    """The claim to restore into: of the destination's class, with room for the snapshot."""
    restic = table(destination, "spec", "restic")
    size = int(order.size * 1.1) + _SLACK
    spec: Obj = {
        "accessModes": restic.get("accessModes") or ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(size)}},
    }
    if restic.get("storageClassName"):
        spec["storageClassName"] = restic["storageClassName"]
    return {"metadata": {"name": order.into, "labels": LABELS}, "spec": spec}


def restore_job(order: Order, image: str, mover: Mover, as_whom: tuple[Obj, Obj]) -> Obj:
    """The Job of one restore, which holds what came against the order's snapshot at its end."""
    told = Request(against=order.wanted).environment() | {
        "RESTORED": order.snapshot.snapshot_id, "REPOSITORY_ID": order.snapshot.repository_id, "AT_ONCE": at_once(mover),
        "DAMAGE": order.damage.value if order.damage is not None else "",
    }  # fmt: skip
    return _job(job_name("restore", order.into), script.RESTORE, image, told, as_whom, mover, order.into, movers=True)


def probe_name(of: Examination) -> str:
    """The Job's name for this probe: another one as soon as anything of what is asked is another."""
    probe = of.probe
    more = (str(probe.port), probe.page, probe.at, *(f"{key}={value}" for key, value in probe.environment)) if probe.port else ()
    asked = "\n".join((probe.image, str(probe.limit_s), *probe.paths, "", *probe.command, *more))
    return job_name(f"probe {probe.preset.value} {asked}", of.order.into)


def probe_job(of: Examination, movers_image: str, as_whom: tuple[Obj, Obj]) -> Obj:
    """The Job of one probe: with an application's labels, and with nothing that opens a store."""
    probe, text = of.probe, SCRIPTS.get(of.probe.preset, "")
    told = {"PATHS": "\n".join(probe.paths)} if text else {}
    asks = probe.preset is Preset.HTTP
    image = PYTHON if asks else probe.image or movers_image
    if asks:
        told = {"PORT": str(probe.port), "PAGE": probe.page, "PATIENCE_S": str(max(1.0, probe.limit_s - SPARE_S))}
    job = _job(
        probe_name(of), text, image, told, as_whom, _NO_STORE, of.order.into, movers=False,
        read_only=probe.preset not in WRITES,
    )  # fmt: skip
    pod = job["spec"]["template"]
    if asks:
        pod["spec"]["containers"][0]["command"] = ["python3", "-I", "-c", ASK]
        pod["spec"] = with_application(pod["spec"], probe)
    elif not text:
        pod["spec"]["containers"][0]["command"] = list(probe.command)
    job["spec"]["activeDeadlineSeconds"] = int(probe.limit_s)
    return job


def trial_job(
    image: str, mover: Mover, as_whom: tuple[Obj, Obj], *, movers: bool, store: bool, nowhere: tuple[str, ...]
) -> Obj:  # fmt: skip
    """The Job that tries the fence, with a mover's labels or with an application's: whether it gets to the store, and to these."""
    name = job_name("trial", "mover" if movers else "application")
    told = {"STORE": "store" if store else "", "NOWHERE": " ".join(nowhere), "PATIENCE_S": str(PATIENCE_S if movers else 0)}
    return _job(name, script.TRIAL, image, told, as_whom, mover, "", movers=movers)


def sentinel_job(word: str, image: str, as_whom: tuple[Obj, Obj]) -> Obj:
    """The Job that writes the canary's word into its claim."""
    told = {"WORD": word}
    return _job(SENTINEL, script.SENTINEL, image, told, as_whom, _NO_STORE, SENTINEL, movers=False, where=CANARY)


def seek_job(destination: str, image: str, mover: Mover, as_whom: tuple[Obj, Obj]) -> Obj:
    """The Job that reads the newest snapshot of the canary's repository."""
    name = job_name("seek", destination)
    return _job(name, script.SEEK, image, {"OPEN_S": str(OPEN_S)}, as_whom, mover, "", movers=True)


def _job(
    name: str, text: str, image: str, told: dict[str, str], as_whom: tuple[Obj, Obj], mover: Mover, claim: str, *, movers: bool,
    where: str = SCRATCH, read_only: bool = False,
) -> Obj:  # fmt: skip
    labels = LABELS | (MOVERS if movers else {"app.kubernetes.io/name": "rehearsed"})
    data: Obj | None = {"persistentVolumeClaim": {"claimName": claim}} if claim else None
    spec = pod_of(CONTAINER, image, text, told, mover, as_whom, data, read_only=read_only)
    return {
        "metadata": {"name": name, "namespace": where, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": _KEPT_S,
            "activeDeadlineSeconds": _LIMIT_S,
            "template": {"metadata": {"labels": (dict(mover.labels) if movers else {}) | labels}, "spec": spec},
        },
    }


def mounting(jobs: list[Obj], claim: str) -> list[Obj]:
    """Those of these Jobs whose pods mount this claim."""
    return [
        job for job in jobs
        if claim in (text(v, "persistentVolumeClaim", "claimName") for v in rows(job, "spec", "template", "spec", "volumes"))
    ]  # fmt: skip


def held_of(log: bytes) -> Reading | None:
    """What a restore's log says of the volume as it was at its end, by restic; None where it does not say all of it."""
    with suppress(ValueError, KeyError):
        found = read_log(log.partition(b"\nend\n")[2])
        if found.ended and found.checked is not None and not found.problems:
            return found
    return None


def restore_of(log: str) -> Restore:
    """What a restore's log says. A log that broke off is no answer of the store's: the pod did not end."""
    lines = log.splitlines()
    if "end" in lines:
        lines = lines[: lines.index("end") + 1]
    told = tuple(line[2:] for line in lines if line.startswith("? "))
    answer = next((line.split(" ") for line in lines if line.startswith("r ")), [])
    if "end" not in lines or len(answer) < 2:
        return Restore(Phase.FAILED, Trouble.NOT_STARTED, "its log broke off")
    counted = next((count for line in lines if line.startswith("n ") and (count := number_of(line[2:])) is not None), 0)
    received = counted or None  # no store answers without a byte: a network that counted none does not count
    if answer[1] == "ok":
        hit = next((line[2:] for line in lines if line.startswith("d ")), "")
        return Restore(Phase.DONE, None, "", float(answer[2]), int(answer[3]), received, hit)
    if answer[1] == "other":
        return Restore(Phase.FAILED, Trouble.OTHER_REPOSITORY, f"it opens {answer[2][:8]}", received=received)
    return Restore(Phase.FAILED, trouble_of(int(answer[2]), told), "; ".join(told[-2:]), received=received)


def trouble_of(code: int, told: tuple[str, ...]) -> Trouble:
    """What restic's exit code and last words mean."""
    if code == _TIMED_OUT or code > 128:  # ended by timeout(1), or by a signal
        return Trouble.UNREACHABLE
    return _TROUBLES[meaning(Finished("restic", code, b"", told, 0.0))]

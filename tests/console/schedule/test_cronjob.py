"""A CronJob that drills inside: its manifests, its script as the pod runs it, and whether it ran by what the cluster says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from adapters.drills.results import Scheduled
from console.schedule.cronjob import CronJob, installing, manifests
from console.schedule.units import BLIND_TO, OWN, PING, Every, Job
from console.verbs.dr import schedule as verbs
from engine.errors import EXIT_DRIFT, EXIT_OK, PermanentError, SettingsInvalid
from house.model import SecretRef
from tests.builders import a_house
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tools.places import CHECKOUT

DAY = 86400.0
IMAGE = "registry.example/blackstart:1"


def a_cronjob(root: Path = Path("/house/home-ops"), every: Every = Every.WEEKLY, **changes: Any) -> CronJob:
    """Of a house whose settings and key lie in its repository."""
    key = SecretRef((f"file:{root}/age.key",))
    found = a_house(root=root, settings_file=root / "blackstart.yaml", state_dir=root / "state", age_key=key, **changes)
    return CronJob(found, every, IMAGE, Path("/checkout"))


def by_kind(of: CronJob) -> dict[str, Any]:
    """Its documents; of several of a kind the last."""
    return {document["kind"]: document for document in YAML(typ="safe").load_all(manifests(of))}


def test_it_says_that_it_cannot_see_the_loss_of_its_own_cluster() -> None:
    of = a_cronjob()
    assert by_kind(of)["CronJob"]["metadata"]["annotations"] == {"blackstart/cannot-see": BLIND_TO}
    assert "IT CANNOT SEE THE LOSS OF ITS OWN CLUSTER" in manifests(of).partition("---")[0]


@pytest.mark.parametrize(("every", "fields"), [(Every.DAILY, "* *"), (Every.WEEKLY, "*"), (Every.MONTHLY, "*")])
def test_it_is_caught_up_with_and_begins_at_a_time_of_its_own(every: Every, fields: str) -> None:
    spec = by_kind(a_cronjob(every=every))["CronJob"]["spec"]
    other = by_kind(a_cronjob(every=every, id="0123456789"))["CronJob"]["spec"]
    assert 0 < spec["startingDeadlineSeconds"] < every.seconds
    assert spec["concurrencyPolicy"] == "Forbid"
    minute, hour, date, month, day = spec["schedule"].split()
    assert 0 <= int(minute) < 60 and 1 <= int(hour) <= 4 and month == "*"
    assert (date != "*", day != "*") == (every is Every.MONTHLY, every is Every.WEEKLY)
    assert spec["schedule"] != other["schedule"]


def test_the_pod_may_do_nothing_on_its_node_and_tries_no_verdict_again() -> None:
    job = by_kind(a_cronjob())["CronJob"]["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert (job["backoffLimit"], pod["restartPolicy"], pod["automountServiceAccountToken"]) == (0, "Never", False)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_every_variable_and_file_that_its_secrets_come_from_is_asked_for() -> None:
    of = a_cronjob()
    assert of.variables() == (PING, "BACKUP_KEY", "BACKUP_KEY_ID", "RESTIC_PASSWORD")
    ((key, place),) = of.kept_files()
    assert str(place) == "/house/age.key"
    told = "\n".join(installing(of, Path("out")))
    assert f"--from-file={key}=" in told
    assert all(f'--from-file={name}=<(printf %s "${name}")' in told for name in of.variables())
    assert "deploy-key" not in told
    by_ssh = replace(of, house=replace(of.house, flux=replace(of.house.flux, url="ssh://git@git.example/home/ops")))
    assert "--from-file=deploy-key=FILE --from-file=known-hosts=FILE" in "\n".join(installing(by_ssh, Path("out")))
    assert "--from-literal" not in told, "a secret would stand in an argument, and in the shell's history"


@pytest.mark.parametrize("changes", [
    {"settings_file": Path("/elsewhere/blackstart.yaml")}, {"age_key": SecretRef(("file:/else/age.key",))},
])  # fmt: skip
def test_what_the_pod_cannot_clone_is_refused(changes: dict[str, Any]) -> None:
    of = a_cronjob()
    with pytest.raises(SettingsInvalid, match="lies outside of the repository"):
        manifests(replace(of, house=replace(of.house, **changes)))


class Pod:
    """The script, run on this machine with the pod's folders below another one."""

    def __init__(self, place: Path, invoke: str) -> None:
        home, self.asked = place / "origin", place / "asked"
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(home)]
        home.mkdir()
        (home / "blackstart.yaml").write_text("house: {}\n")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
            subprocess.run([*git, *words], check=True, capture_output=True)
        of = a_cronjob()
        of = replace(of, house=replace(of.house, flux=replace(of.house.flux, url=str(home), branch="main")))
        data = by_kind(of)["ConfigMap"]["data"]
        for name in ("house", "blackstart/.venv/bin", "secrets", "etc/drill", "account", "bin", "tmp"):
            (place / name).mkdir(parents=True)
        ((key, _),) = of.kept_files()
        (place / "secrets" / key).write_text("the key\n")
        (place / "account" / "token").write_text("a.b.c")
        (place / "etc" / "drill" / "kubeconfig").write_text(data["kubeconfig"])
        self.program(place / "bin" / "curl", f'[ "${{*#*watch}}" = "$*" ] && sed "s/^url = //" >> {self.asked}')
        self.program(place / "bin" / "sleep", f'echo "$1" >> {place}/slept')
        for name in ("sed", "cp", "cat", "mkdir", "git"):
            self.program(place / "bin" / name, f'echo "{name} $*" >> {place}/seen; exec {shutil.which(name)} "$@"')
        self.program(place / "blackstart" / ".venv" / "bin" / "python", invoke)
        script = data["drill.sh"].replace("/var/run/secrets/kubernetes.io/serviceaccount", f"{place}/account")
        for name in ("/house", "/blackstart", "/secrets", "/etc/drill"):
            script = script.replace(f" {name}", f" {place}{name}").replace(f"'{name}", f"'{place}{name}")
        self.place, self.script = place, place / "drill.sh"
        self.script.write_text(script)
        self.env = {"PATH": f"{place}/bin:{os.environ['PATH']}", "HOME": str(place / "tmp"), PING: "https://watch/1"}

    def program(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["/bin/sh", str(self.script)], env=self.env)


def test_the_script_clones_drills_and_pings_with_the_verdict(tmp_path: Path) -> None:
    pod = Pod(tmp_path, f'echo "$@" > {tmp_path}/typed; exit 4')
    assert pod.begin().wait(60) == 4
    assert pod.asked.read_text().split() == ["https://watch/1/start", "https://watch/1/4"]
    assert (tmp_path / "typed").read_text() == f"-m invoke dr.rehearse --report {tmp_path}/house/state/evidence/{{run}}\n"
    assert (tmp_path / "house" / "blackstart.yaml").exists()
    key = tmp_path / "house" / "age.key"
    assert (key.read_text(), key.stat().st_mode & 0o077) == ("the key\n", 0)
    kubeconfig = tmp_path / "house" / "state" / "kubeconfig"
    assert YAML(typ="safe").load(kubeconfig.read_text())["users"][0]["user"] == {"token": "a.b.c"}
    assert kubeconfig.stat().st_mode & 0o077 == 0
    seen = (tmp_path / "seen").read_text()
    assert "sed " in seen and "a.b.c" not in seen, "a process list shows the token"


@pytest.mark.parametrize(("name", "waits"), [("{}-29012345-x7k2p", True), ("{}-now-x7k2p", False), ("", True)])
def test_only_one_that_the_clock_has_begun_waits_first(tmp_path: Path, name: str, waits: bool) -> None:
    pod = Pod(tmp_path, "exit 0")
    pod.env["HOSTNAME"] = name.format(a_cronjob().name)
    assert pod.begin().wait(60) == 0
    slept = (tmp_path / "slept").read_text().split() if (tmp_path / "slept").exists() else []
    assert len(slept) == int(waits) and all(0 <= int(seconds) < 4 * 3600 for seconds in slept)


def test_a_clone_that_fails_is_no_silence(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "exit 0")
    shutil.rmtree(tmp_path / "origin")
    code = pod.begin().wait(60)
    assert code not in (0, 4, 5)
    assert pod.asked.read_text().split()[-1] == f"https://watch/1/{code}"


def test_what_ends_the_pod_ends_the_drill_in_order(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    pod = Pod(tmp_path, f"trap 'exit 130' TERM; touch {begun}; while :; do /bin/sleep 0.05; done")
    process = pod.begin()
    while not begun.exists():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert pod.asked.read_text().split()[-1] == "https://watch/1/130"


def inside(desk: Desk, tmp_path: Path, *, ago: float = 0.0) -> None:
    """Written from here, so long ago."""
    house, root = desk.running.house, desk.running.house.root
    key = SecretRef((f"file:{root}/age.key",))
    desk.running.house = replace(house, settings_file=root / "blackstart.yaml", age_key=key)
    session = desk.session("dr.schedule")
    assert verbs.write_inside(session, "", str(tmp_path / "out"), Job.DRILL, IMAGE) == EXIT_OK
    kept = house.state_dir / "schedule.json"
    told = json.loads(kept.read_text())
    kept.write_text(json.dumps(told | {"since": told["since"] - ago}))


def test_it_is_written_and_said_what_it_cannot_see(desk: Desk, tmp_path: Path, capsys: Printed) -> None:
    inside(desk, tmp_path)
    out = capsys.readouterr().out
    assert f"cannot see {BLIND_TO}" in out
    assert "podman build" in out
    assert (tmp_path / "out" / "blackstart-four-nodes-cronjob.yaml").read_text().count("kind: CronJob") == 1


@pytest.mark.parametrize(("ago", "last", "code"), [
    (0.0, None, EXIT_OK), (90 * DAY, None, EXIT_DRIFT), (90 * DAY, 6 * DAY, EXIT_OK), (90 * DAY, 8 * DAY, EXIT_DRIFT),
])  # fmt: skip
def test_whether_it_ran_is_asked_of_the_cluster(
    held_desk: Desk, tmp_path: Path, capsys: Printed, ago: float, last: float | None, code: int
) -> None:
    inside(held_desk, tmp_path, ago=ago)
    session = held_desk.session("dr.schedule", json=True)
    began = session.clock.now() - last if last is not None else None
    held_desk.running.home.kube.objects().scheduled[OWN, "blackstart-four-nodes"] = Scheduled(suspended=False, last=began)
    capsys.readouterr()
    assert verbs.ran(session) == code
    assert (last_line(capsys)["kind"]) == "cronjob"


@pytest.mark.parametrize(("seen", "told"), [(None, "there is no CronJob"), (Scheduled(suspended=True, last=1.0), "is suspended")])
def test_one_that_was_never_applied_or_rests_is_no_yes(held_desk: Desk, tmp_path: Path, seen: Scheduled | None, told: str) -> None:
    inside(held_desk, tmp_path)
    if seen is not None:
        held_desk.running.home.kube.objects().scheduled[OWN, "blackstart-four-nodes"] = seen
    with pytest.raises(PermanentError, match=told):
        verbs.ran(held_desk.session("dr.schedule"))


def test_etcd_is_not_saved_from_inside_and_an_image_is_needed(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="nothing for it"):
        verbs.write_inside(desk.session("dr.schedule"), "", str(tmp_path), Job.ETCD, IMAGE)
    with pytest.raises(SettingsInvalid, match="needs --image"):
        verbs.write_inside(desk.session("dr.schedule"), "", str(tmp_path), Job.DRILL, "")


def test_the_image_is_built_from_this_checkout_and_holds_nothing_of_a_house() -> None:
    text = (CHECKOUT / "Containerfile").read_text()
    assert "RUN make setup" in text and "\nUSER 65532:65532\n" in text
    ignored = (CHECKOUT / ".dockerignore").read_text().split()
    assert {".git", ".venv", ".tools", ".lab", "state", "blackstart.yaml", "**/*.key", "*.kit.age"} <= set(ignored)


@pytest.mark.programs
@pytest.mark.houses
@pytest.mark.long
@pytest.mark.asked
def test_the_image_builds_and_has_its_programs() -> None:
    """Where a builder is on PATH and works: compiling the programs takes a quarter of an hour."""
    builder = next((name for name in ("podman", "buildah", "docker") if shutil.which(name)), None)
    if builder is None or subprocess.run([builder, "info"], capture_output=True, check=False, timeout=60).returncode != 0:
        pytest.skip("no builder of images works here (podman, buildah, docker): the Containerfile is not built")
    words = ["build", "--tag", "blackstart-test", "--file", "Containerfile", "."]
    subprocess.run([builder, *words], cwd=CHECKOUT, check=True, timeout=7200)
    if builder != "buildah":
        subprocess.run([builder, "run", "--rm", "blackstart-test", "tools.check", "--run"], check=True, timeout=300)

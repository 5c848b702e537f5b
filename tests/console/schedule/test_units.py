"""Units that systemd takes as they are meant, wherever a house lies; and a drill that did not come is missed."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from console.report.keeping import keep
from console.schedule.units import Every, Job, Scheduled, installing, units
from console.verbs.dr import schedule as verbs
from engine.errors import EXIT_DRIFT, EXIT_OK, PermanentError, SettingsInvalid
from tests.builders import a_house
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]
SYSTEMD = shutil.which("systemd-analyze")
DAY = 86400.0


def scheduled(place: Path, every: Every = Every.WEEKLY) -> Scheduled:
    """Of a house that lies there; the checkout's programs are there too, for systemd looks whether they can be run."""
    program = place / ".venv" / "bin" / "invoke"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    house = a_house(state_dir=place / "state", settings_file=place / "blackstart.yaml")
    return Scheduled(house, Job.DRILL, every, "daemon", place, Path("/etc/blackstart/four-nodes.env"))


@pytest.mark.skipif(SYSTEMD is None, reason="no systemd-analyze on PATH")
@pytest.mark.parametrize("name", ["plain", "with a space", "50% off", "it's", 'say "so"', "$HOME", "back\\slash;"])
def test_systemd_takes_them_wherever_the_house_lies(tmp_path: Path, name: str) -> None:
    of = scheduled(tmp_path / name)
    for file, text in units(of).items():
        (tmp_path / file).write_text(text)
    files = [str(tmp_path / file) for file in units(of)]
    done = subprocess.run([str(SYSTEMD), "verify", "--man=no", *files], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "blackstart" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.skipif(SYSTEMD is None, reason="no systemd-analyze on PATH")
@pytest.mark.parametrize("every", Every)
def test_systemd_knows_the_interval(every: Every) -> None:
    done = subprocess.run([str(SYSTEMD), "calendar", every.value], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Next elapse" in done.stdout


def test_they_say_what_must_hold(tmp_path: Path) -> None:
    service, timer = units(scheduled(tmp_path / "x")).values()
    assert "dr.rehearse --report" in service
    assert "/{run}" in service
    for line in ("Type=oneshot", "KillMode=mixed", "EnvironmentFile=-/etc/blackstart/four-nodes.env", "User=daemon"):
        assert line in service.splitlines()
    for line in ("OnCalendar=weekly", "Persistent=true", "RandomizedDelaySec=6h"):
        assert line in timer.splitlines()
    assert "env:" not in service
    told = installing(scheduled(tmp_path / "y"), tmp_path)
    assert "enable --now blackstart-four-nodes.timer" in told[-1]


@pytest.mark.parametrize(("url", "asked"), [("", 0), ("https://watch/1", 2)])
def test_who_watches_is_told_of_start_and_end(tmp_path: Path, url: str, asked: int) -> None:
    """The lines are run as systemd runs them: $$ is its way to write a $."""
    service = units(scheduled(tmp_path / "x"))["blackstart-four-nodes.service"]
    log = tmp_path / "asked"
    curl = tmp_path / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text(f'#!/bin/sh\n[ "${{*#*watch}}" = "$*" ] && sed "s/^url = //" >> {log}\n')
    curl.chmod(0o755)
    env = {"PATH": f"{curl.parent}:/usr/bin:/bin", "EXIT_STATUS": "4", "BLACKSTART_PING": url}
    for line in service.splitlines():
        if "/bin/sh -c" in line:
            script = line.partition("-c ")[2].strip("'").replace("$$", "$")
            assert subprocess.run(["/bin/sh", "-c", script], env=env, check=False).returncode == 0
    assert (log.read_text().split() if log.exists() else []) == ["https://watch/1/start", "https://watch/1/4"][:asked]


@pytest.mark.parametrize(("kind", "every"), [("cron", ""), ("", ""), ("systemd", "hourly"), ("systemd", "7d")])
def test_what_is_not_written_is_refused(desk: Desk, tmp_path: Path, kind: str, every: str) -> None:
    with pytest.raises(SettingsInvalid, match="right would be"):
        verbs.write(desk.session("dr.schedule"), kind, every, str(tmp_path / "units"))
    assert not (tmp_path / "units").exists()


class TestWhetherItRan:
    def drilled(self, desk: Desk, ago: float, verb: str = "dr.rehearse") -> None:
        """One ran so many seconds ago."""
        from console.report.document import moment

        now = desk.session("dr.schedule").clock.now()
        folder = desk.running.house.state_dir / "runs" / f"run-{ago:.0f}-{verb}"
        folder.mkdir(parents=True)
        verdict = {"word": "PASS", "tone": "good", "sentence": "", "exit_code": 0}
        told = {"schema": "blackstart.evidence/1", "verb": verb, "started": moment(now - ago), "seconds": 1.0}
        keep(folder, {**told, "verdict": verdict})

    def written(self, desk: Desk, ago: float = 0.0) -> None:
        assert verbs.write(desk.session("dr.schedule"), "systemd", "weekly", str(desk.running.folder / "units")) == EXIT_OK
        kept = desk.running.house.state_dir / "schedule.json"
        told = json.loads(kept.read_text())
        kept.write_text(json.dumps(told | {"since": told["since"] - ago}))

    def test_without_a_schedule_nobody_knows(self, desk: Desk) -> None:
        with pytest.raises(PermanentError, match="no schedule was written"):
            verbs.ran(desk.session("dr.schedule"))

    @pytest.mark.parametrize(
        ("since", "runs", "code"),
        [
            (0.0, (), EXIT_OK), (6 * DAY, (), EXIT_OK), (8 * DAY, (), EXIT_DRIFT), (90 * DAY, (6 * DAY, 13 * DAY), EXIT_OK),
            (90 * DAY, (8 * DAY, 15 * DAY), EXIT_DRIFT),
        ],
    )  # fmt: skip
    def test_one_that_did_not_come_is_missed(
        self, desk: Desk, since: float, runs: tuple[float, ...], code: int, capsys: Printed
    ) -> None:
        self.written(desk, since)
        for ago in runs:
            self.drilled(desk, ago)
        assert verbs.ran(desk.session("dr.schedule")) == code
        assert ("did not come" in capsys.readouterr().out) is (code == EXIT_DRIFT)

    def test_another_verb_is_none(self, desk: Desk) -> None:
        self.written(desk, 90 * DAY)
        self.drilled(desk, DAY, "cluster.verify")
        assert verbs.ran(desk.session("dr.schedule")) == EXIT_DRIFT

    def test_a_schedule_of_etcd_is_its_own_and_daily(self, desk: Desk, tmp_path: Path) -> None:
        self.written(desk, 90 * DAY)
        self.drilled(desk, DAY)
        etcd = verbs.job_of("etcd")
        with pytest.raises(PermanentError, match="no schedule was written") as none:
            verbs.ran(desk.session("dr.schedule"), etcd)
        assert none.value.next_command == "invoke dr.schedule --as systemd --what etcd"
        assert verbs.write(desk.session("dr.schedule"), "systemd", "", str(tmp_path), etcd) == EXIT_OK
        timer, service = (tmp_path / f"blackstart-four-nodes-etcd.{kind}" for kind in ("timer", "service"))
        assert "OnCalendar=daily" in timer.read_text()
        assert "cluster.save-etcd --report" in service.read_text()
        self.drilled(desk, 2 * DAY, "cluster.save-etcd")
        assert verbs.ran(desk.session("dr.schedule"), etcd) == EXIT_DRIFT
        self.drilled(desk, DAY / 2, "cluster.save-etcd")
        assert verbs.ran(desk.session("dr.schedule"), etcd) == EXIT_OK
        assert verbs.ran(desk.session("dr.schedule")) == EXIT_OK

    def test_nothing_else_is_scheduled(self) -> None:
        with pytest.raises(SettingsInvalid, match="right would be one of drill, etcd"):
            verbs.job_of("restic")

    def test_what_was_kept_and_cannot_be_read_is_no_schedule(self, desk: Desk) -> None:
        self.written(desk)
        for job, again in ((Job.DRILL, ""), (Job.ETCD, " --what etcd")):
            (desk.running.house.state_dir / f"schedule{job.ending}.json").write_text("{")
            with pytest.raises(PermanentError, match="cannot be read") as told:
                verbs.ran(desk.session("dr.schedule"), job)
            assert told.value.next_command == f"invoke dr.schedule --as systemd{again}"


def test_units_of_two_houses_do_not_meet(tmp_path: Path) -> None:
    one, other = scheduled(tmp_path / "a"), scheduled(tmp_path / "b")
    other = replace(other, house=replace(other.house, name="second"))
    assert not units(one).keys() & units(other).keys()

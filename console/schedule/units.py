"""A timer and a service for systemd on a machine outside the cluster, as text to be reviewed. Installs nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from house.model import House

PING = "BLACKSTART_PING"
"""The variable with the URL of a dead man's switch: what hears nothing raises the alarm."""
CURL = "curl --config - --fail --silent --show-error --max-time 10 --retry 3 --output /dev/null"
"""Asks for the URL that it reads: who has the URL can call the house well, so it stands in no argument."""

OWN = "blackstart-drills"
"""The namespace of a CronJob that drills inside the cluster."""
BLIND_TO = "the loss of its own cluster"
"""What such a one cannot see."""


class Every(Enum):
    """How often; the value is what the command line and systemd's calendar call it."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def seconds(self) -> float:
        """The longest time between two of them."""
        return {Every.DAILY: 1, Every.WEEKLY: 7, Every.MONTHLY: 31}[self] * 86400.0

    @property
    def delay(self) -> str:
        """The most by which a start is put off at random, so that not all houses of a store begin at once."""
        return "1h" if self is Every.DAILY else "6h"


class Job(Enum):
    """What is run by itself; the value is what the command line calls it."""

    DRILL = "drill"
    ETCD = "etcd"

    @property
    def verb(self) -> str:
        """The verb that does it."""
        return {Job.DRILL: "dr.rehearse", Job.ETCD: "cluster.save-etcd"}[self]

    @property
    def usually(self) -> Every:
        """How often, where nobody says."""
        return Every.WEEKLY if self is Job.DRILL else Every.DAILY

    @property
    def ending(self) -> str:
        """What its files are called by besides the house: a drill's were there first."""
        return "" if self is Job.DRILL else f"-{self.value}"


def name_of(house: House, job: Job) -> str:
    """What is written for it is called, without an ending."""
    return f"blackstart-{house.name}{job.ending}"


@dataclass(frozen=True)
class Scheduled:
    """What is to be run, how often, by whom, and from which checkout; `environment` is a file with what `env:` references need."""

    house: House
    job: Job
    every: Every
    user: str
    checkout: Path
    environment: Path

    @property
    def name(self) -> str:
        """What the units are called, without their ending."""
        return name_of(self.house, self.job)

    @property
    def verb(self) -> str:
        """The verb that it runs."""
        return self.job.verb

    @property
    def evidence(self) -> Path:
        """Where each run's folder goes."""
        return self.house.state_dir.absolute() / "evidence"


def units(of: Scheduled) -> dict[str, str]:
    """The files by name."""
    return {f"{of.name}.service": _service(of), f"{of.name}.timer": _timer(of)}


def installing(of: Scheduled, folder: Path) -> tuple[str, ...]:
    """What a person types to install them."""
    files = " ".join(shlex.quote(str(folder / name)) for name in units(of))
    return (
        f"sudo install -m 600 -o {shlex.quote(of.user)} -D /dev/null {shlex.quote(str(of.environment))}"
        f"  # then put PROXMOX_TOKEN_SECRET=… and the like into it, and {PING}=https://…",
        f"sudo install -m 644 {files} /etc/systemd/system/",
        f"sudo systemctl daemon-reload && sudo systemctl enable --now {of.name}.timer",
    )


def _service(of: Scheduled) -> str:
    invoke = ("/usr/bin/env", ".venv/bin/invoke")  # seen from the checkout: systemd takes no odd letter in a program's own path
    run = _words(*invoke, of.verb, "--report", of.evidence / "{run}")
    told = _words(*invoke, "dr.status", "--metrics", of.house.state_dir.absolute() / "status.prom")
    def ping(end: str) -> str:
        return f'[ -z "$${PING}" ] || echo "url = $${PING}/{end}" | exec {CURL}'

    return f"""\
# Written by `invoke dr.schedule` for the house {_line(of.house.name)}. What it runs takes the house's lock and Lease by itself.
[Unit]
Description=Blackstart: {of.verb} of {_line(of.house.name)}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={_line(of.user)}
WorkingDirectory={_line(str(of.checkout))}
Environment={_words(f"BLACKSTART_SETTINGS={of.house.settings_file.absolute()}")}
EnvironmentFile=-{_line(str(of.environment))}
# Who watches is told of the start and of the exit code; a silence is an alarm. Nothing is asked where no URL is set.
ExecStartPre=-/bin/sh -c '{ping("start")}'
ExecStart={run}
ExecStopPost=-/bin/sh -c '{ping("$$EXIT_STATUS")}'
ExecStopPost=-{told}
# SIGTERM ends a run in order: it goes on where it was by the next one. What it started is its own to end.
KillMode=mixed
TimeoutStartSec=infinity
TimeoutStopSec=15min
NoNewPrivileges=yes
Nice=5
"""


def _timer(of: Scheduled) -> str:
    return f"""\
# Written by `invoke dr.schedule`. A start that was missed, for this machine was off, is caught up with.
[Unit]
Description=Blackstart: {of.verb} of {_line(of.house.name)}, {of.every.value}

[Timer]
OnCalendar={of.every.value}
RandomizedDelaySec={of.every.delay}
Persistent=true

[Install]
WantedBy=timers.target
"""


def _line(text: str) -> str:
    """As systemd reads it back: its own sign of a specifier doubled, and one line."""
    return " ".join(text.replace("%", "%%").split("\n"))


def _words(*words: object) -> str:
    """Words of a command line of systemd's, each in quotes where it needs them."""
    return " ".join(_word(str(word)) for word in words)


def _word(word: str) -> str:
    text = _line(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return text if text and not set(text) & set(" '\"\\;\t") else f'"{text}"'

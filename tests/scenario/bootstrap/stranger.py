"""A person who has this tool and no other advice: types what was shown before, answers marks, and keeps what was typed."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bootstrap.course import course
from console.ending import LastWords
from console.opened.building import builder
from console.opened.programs import refuse_unfit
from console.session import Session
from console.verbs import config
from console.verbs.cluster.bootstrap import NEXT_RESTORE, preflight_of
from console.verbs.doctor import Reach, doctor_of
from engine.errors import EXIT_DRIFT, EXIT_OK, PreflightRefused, SettingsInvalid
from house.loader import SETTINGS_FILE, load
from house.model import House
from house.settings.values import FILL_IN
from lab.world.images import make_qcow2
from lab.world.pve.house import IMAGE_BYTES
from tests.console.modelled_doors import Desk

COMMANDS = [
    "invoke config.doctor",
    "invoke config.init --repo .",
    "invoke config.doctor",
    "invoke config.check",
    "invoke config.check",
    "invoke config.doctor",
    "invoke cluster.preflight",
    "pvesm set local --content backup,import,iso,snippets,vztmpl",
    "curl -fsSL URL | sha256sum",
    "invoke cluster.preflight",
    "invoke cluster.bootstrap",
]
"""What a stranger types from an empty file to a cluster."""
MARKED = re.compile(rf"^.*{FILL_IN}.*?#\s*(?P<where>\S.*)$")


class Person:
    """Types what was printed before, and nothing else; answers marks; keeps the list of what was typed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], desk: Desk) -> None:
        self.folder, self.capsys, self.desk = folder, capsys, desk
        self.file = folder / SETTINGS_FILE
        self.seen = ""
        self.typed: list[str] = []

    def type(self, command: str, code: int) -> str:
        """Type a command that was shown; what it prints, which must end with this code."""
        if self.typed:  # the first one is README's
            assert command in " ".join(self.seen.split()), f"nobody told the person to type {command}"
        self.typed.append(command)
        ended = self._invoke(command) if command.startswith("invoke ") else self._on_a_host(command)
        printed = self.capsys.readouterr()
        self.seen += printed.out + printed.err
        assert ended == code, printed.out + printed.err
        return printed.out + printed.err

    def fill_in(self, path: str, line: int, value: str) -> None:
        """Answer one mark, whose comment says where its answer is found."""
        lines = self.file.read_text().splitlines()
        told = MARKED.match(lines[line - 1])
        assert told, f"{lines[line - 1]} does not say where to find it"
        lines[line - 1] = lines[line - 1].replace(FILL_IN, value, 1)
        self.file.write_text("\n".join(lines) + "\n")
        self.typed.append(f"edit {path}: {value}")

    def settle(self, known: Mapping[str, str]) -> None:
        """From an empty file to one that config.check takes; `known` answers the marks, by their places."""
        self.type("invoke config.doctor", EXIT_DRIFT)
        self.type("invoke config.init --repo .", EXIT_OK)
        self.type("invoke config.doctor", EXIT_DRIFT)
        marks = self.type("invoke config.check", SettingsInvalid.exit_code)
        for line, path in re.findall(r"^\S+?:(\d+):\d+: error: (\S+): is not filled in yet", marks, re.MULTILINE):
            self.fill_in(path, int(line), known[path])
        self.type("invoke config.check", EXIT_OK)
        assert "next: invoke cluster.preflight" in self.type("invoke config.doctor", EXIT_DRIFT)

    def mend_what_preflight_refuses(self) -> None:
        """What Proxmox and the factory lack as they come, by the commands that the refusal names."""
        refused = self.type("invoke cluster.preflight", PreflightRefused.exit_code)
        for command in sorted(set(re.findall(r"pvesm set \S+ --content \S+", refused))):
            self.type(command, EXIT_OK)
        told = re.search(r"curl -fsSL \S+ \| sha256sum", " ".join(refused.split()))
        assert told is not None and "the line `sha256: HEX` is missing" in refused
        digest = self.type(told[0], EXIT_OK).split()[0]
        text = self.file.read_text()
        self.file.write_text(re.sub(r"^  # sha256: .*$", f"  sha256: {digest}", text, flags=re.MULTILINE))
        self.typed.append(f"edit image.sha256: {digest[:8]}…")

    @property
    def commands(self) -> list[str]:
        """What was typed and is no edit, without the addresses in it."""
        return [re.sub(r" https://\S+", " URL", line) for line in self.typed if not line.startswith("edit ")]

    def house(self) -> House:
        """As the settings are now."""
        return load(self.file, builder())

    def _invoke(self, command: str) -> int:
        verb, *words = shlex.split(command)[1:]
        verbs: dict[str, Callable[[], int]] = {
            "config.init": lambda: config.init(words[words.index("--repo") + 1], "", False),
            "config.check": lambda: config.check("", False),
            "config.doctor": lambda: doctor_of("", False, Reach(builder())),
            "cluster.preflight": lambda: preflight_of(self._session(verb)),
            "cluster.bootstrap": self._bootstrap,
        }
        try:
            return verbs[verb]()
        except PreflightRefused as refused:
            sys.stdout.write(f"{refused.what}\n")
            return refused.exit_code

    def _bootstrap(self) -> int:
        """As the verb, on the modelled house's own time."""
        running, session = self.desk.running, self._session("cluster.bootstrap")
        refuse_unfit(session.house)
        running.house = running.home.house = session.house
        report = running.apply(course(session.house, session.known()))
        return session.finish_run(report, LastWords(NEXT_RESTORE, "Cluster built"))

    def _session(self, verb: str) -> Session:
        return Session(verb, self.house(), self.desk.doors)

    def _on_a_host(self, command: str) -> int:
        """A command for a Proxmox host, or one that prints a checksum."""
        words = shlex.split(command)
        pve = self.desk.running.home.proxmox
        if words[:2] == ["pvesm", "set"]:
            for host in pve.hosts:
                storage = pve.storages.find(host, words[2])
                assert storage is not None
                storage.content = frozenset(words[words.index("--content") + 1].split(","))
            return EXIT_OK
        assert words[0] == "curl", command
        url = next(word for word in words if word.startswith("https://"))
        sys.stdout.write(f"{hashlib.sha256(make_qcow2(IMAGE_BYTES, url.encode())).hexdigest()}  -\n")
        return EXIT_OK


def world_of(house: House) -> dict[str, object]:
    """Everything of this house but where its files lie."""
    left = {"state_dir", "settings_file"}
    return {name: getattr(house, name) for name in house.__dataclass_fields__ if name not in left}

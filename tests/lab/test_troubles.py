"""Every trouble begins and ends in a running house; what the doors then say is what a client sees."""

from __future__ import annotations

import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from engine.errors import PermanentError
from lab.houses.nouns import HouseFolder
from lab.running.control import ask
from lab.running.starting import start, stop
from lab.troubles.named import TROUBLES
from tests.contract.apiserver import needed
from tests.lab.by_hand import Hand

pytestmark = pytest.mark.programs


@dataclass(frozen=True)
class Bench:
    folder: HouseFolder
    told: dict[str, Any]
    hand: Hand

    def begin(self, name: str, target: str = "") -> None:
        ask(self.folder.control, {"do": "trouble", "name": name, "target": target})

    def end(self, name: str, target: str = "") -> None:
        ask(self.folder.control, {"do": "trouble", "name": name, "target": target, "end": True})

    def git(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "ls-remote", "origin", "main"],
            cwd=self.folder.clone,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder.root), "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def charts(self) -> int:
        context = ssl.create_default_context(cafile=self.told["ca_file"])
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(self.told["charts"]["url"] + "/index.yaml", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def store(self) -> str:
        """How listing the bucket ends: "ok", or the error's code."""
        s3 = self.told["s3"]
        client = boto3.client(
            "s3", endpoint_url=s3["url"], verify=self.told["ca_file"], region_name="us-east-1",
            aws_access_key_id=Path(s3["key_id_file"]).read_text(), aws_secret_access_key=Path(s3["key_file"]).read_text(),
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, proxies={}),
        )  # fmt: skip
        try:
            client.list_objects_v2(Bucket="backups")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except BotoCoreError:
            return "cut"
        finally:
            client.close()
        return "ok"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    needed("talosctl", "talhelper", "sops", "helm", "age-keygen")
    root = tmp_path_factory.mktemp("troubles")
    folder = HouseFolder(root / "one-node")
    told = start("one-node", "empty", 20.0, folder)
    yield Bench(folder, told, Hand(folder.endpoints, root))
    assert ask(folder.control, {"do": "status"})["errors"] == []
    stop("one-node", folder)


def test_git_charts_and_store_go_and_come_back(bench: Bench) -> None:
    bench.begin("git-down")
    assert "503" in bench.git().stderr
    bench.end("git-down")
    assert bench.git().returncode == 0
    bench.begin("charts-down")
    assert bench.charts() == 503
    bench.end("charts-down")
    assert bench.charts() == 200
    bench.begin("store-down")
    assert bench.store() == "cut"
    bench.end("store-down")
    bench.begin("store-key-expired")
    assert bench.store() == "AccessDenied"
    bench.end("store-key-expired")
    assert bench.store() == "ok"


def test_a_commit_by_another_hand_leaves_the_clone_behind(bench: Bench) -> None:
    before = bench.git().stdout
    bench.begin("git-ahead")
    assert bench.git().stdout != before


def test_the_machine_follows_what_befalls_its_vm(bench: Bench) -> None:
    bench.hand.make_vm()

    def port() -> str:
        (machine,) = ask(bench.folder.control, {"do": "status"})["machines"].values()
        return str(machine["port"])

    bench.hand.until(lambda: port() == "maintenance", "maintenance")
    bench.begin("vm-off", "cp-1")
    assert port() == "closed"
    bench.end("vm-off", "cp-1")
    bench.hand.until(lambda: port() == "maintenance", "maintenance again")
    bench.begin("vm-changed", "cp-1")
    bench.end("vm-changed", "cp-1")
    bench.begin("host-down", "pve-1")
    assert port() == "closed"
    bench.end("host-down", "pve-1")
    bench.begin("vm-gone", "cp-1")
    assert ask(bench.folder.control, {"do": "status"})["vms"] == []


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [("flood", "", "there is no fault flood"), ("vm-off", "cp-9", "no node cp-9"), ("host-down", "pve-9", "no host pve-9")],
)
def test_what_is_not_there_cannot_be_in_trouble(bench: Bench, name: str, target: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        bench.begin(name, target)


def test_a_trouble_that_only_its_mending_ends_says_so(bench: Bench) -> None:
    with pytest.raises(PermanentError, match="does not end by itself"):
        bench.end("git-ahead")


def test_every_trouble_is_described() -> None:
    assert len(TROUBLES) >= 12
    assert all(trouble.what for trouble in TROUBLES.values())

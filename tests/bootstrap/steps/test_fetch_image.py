"""proxmox.fetch-image: each host has the image of the settings, checked by its checksum."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import PermanentError
from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "proxmox.fetch-image/pve-1"


def test_an_empty_storage_lacks_it_and_fetching_brings_it(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.MISSING
    notes = do(bare, bare.bootstrap, STEP)
    assert notes.written["task"].startswith("UPID:pve-1:")
    assert see(bare, bare.bootstrap, STEP).condition is Condition.SATISFIED
    assert see(bare, bare.bootstrap, "proxmox.fetch-image/pve-2").condition is Condition.MISSING


def test_a_download_under_way_is_waited_for_and_not_begun_again(bare: Running) -> None:
    image = bare.house.image
    bare.home.act("other").proxmox.download_image("pve-1", image.storage, image.filename, image.url, image.sha256)
    seen = see(bare, bare.bootstrap, STEP)
    assert seen.condition is Condition.CHANGING
    assert seen.evidence[0].startswith("UPID:")
    assert see(bare, bare.bootstrap, "proxmox.fetch-image/pve-2").condition is Condition.MISSING


def test_another_version_s_image_is_not_this_one(bare: Running) -> None:
    do(bare, bare.bootstrap, STEP)
    bare.house = replace(bare.house, image=replace(bare.house.image, filename="talos-v1.14.0-nocloud-amd64.qcow2"))
    assert see(bare, bare.bootstrap, STEP).condition is Condition.MISSING


def test_a_host_that_is_down_was_not_looked_at(bare: Running) -> None:
    bare.home.proxmox.host_down("pve-1")
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_wrong_checksum_fails_with_the_task_s_last_lines_and_leaves_nothing(bare: Running) -> None:
    bare.house = replace(bare.house, image=replace(bare.house.image, sha256="0" * 64))
    with pytest.raises(PermanentError, match="task ended with") as failed:
        do(bare, bare.bootstrap, STEP)
    assert any("checksum" in line for line in failed.value.evidence)
    assert see(bare, bare.bootstrap, STEP).condition is Condition.MISSING


def test_without_a_pin_the_factory_s_checksum_is_used(bare: Running) -> None:
    bare.house = replace(bare.house, image=replace(bare.house.image, sha256=""))
    do(bare, bare.bootstrap, STEP)
    assert see(bare, bare.bootstrap, STEP).condition is Condition.SATISFIED

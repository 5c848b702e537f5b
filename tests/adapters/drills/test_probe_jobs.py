"""The Job of one probe: what its pod may, and what the end of a command in it means."""

from __future__ import annotations

import json

import pytest

from adapters.drills.jobs import probe_job, probe_name
from adapters.drills.probes import ended_with
from adapters.drills.results import Examination, Health, Order
from adapters.volsync.results import Snapshot
from house.values.rehearsing import IMAGES, ClaimProbe, Preset


@pytest.mark.parametrize(
    ("code", "reason", "health_"),
    [
        (0, "Completed", Health.SOUND), (1, "Error", Health.ILL), (2, "", Health.ILL), (125, "Error", Health.ILL),
        (126, "Error", Health.UNSEEN), (127, "Error", Health.UNSEEN), (128, "StartError", Health.UNSEEN),
        (137, "OOMKilled", Health.UNSEEN), (143, "Error", Health.UNSEEN), (1, "OOMKilled", Health.UNSEEN),
        (None, "", Health.UNSEEN),
    ],
)  # fmt: skip
def test_what_a_commands_end_means(code: int | None, reason: str, health_: Health) -> None:
    found = ended_with(code, reason, "one\ntwo\n")
    assert found.health is health_
    assert found.detail.endswith("one; two")


class TestJob:
    def of(self, probe: ClaimProbe) -> Examination:
        return Examination(Order("notes-back", "apps", "notes-dst", Snapshot("r", "s"), 5), probe)

    @pytest.mark.parametrize("preset", list(Preset))
    def test_its_pod_opens_no_store_gets_out_nowhere_and_has_no_token(self, preset: Preset) -> None:
        words = ("check",) if preset is Preset.COMMAND else ()
        port = 8080 if preset is Preset.HTTP else 0
        probe = ClaimProbe(preset, IMAGES.get(preset, "an/image:1"), command=words, limit_s=60.0, port=port)
        job = probe_job(self.of(probe), "mover:1", ({"runAsUser": 7}, {}))
        pod = job["spec"]["template"]
        container = pod["spec"]["containers"][0]
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert container["envFrom"] == []
        assert "created-by" not in json.dumps(pod["metadata"]["labels"])
        assert pod["spec"]["securityContext"] == {"runAsUser": 7}
        assert job["spec"]["activeDeadlineSeconds"] == 60
        read_only = container["volumeMounts"][0].get("readOnly", False)
        assert read_only is (preset is Preset.FILES)

    def test_files_run_in_the_movers_own_image_and_a_command_as_it_is(self) -> None:
        files = probe_job(self.of(ClaimProbe(Preset.FILES)), "mover:1", ({}, {}))
        assert files["spec"]["template"]["spec"]["containers"][0]["image"] == "mover:1"
        command = probe_job(self.of(ClaimProbe(Preset.COMMAND, "mine:2", command=("a", "b c"))), "mover:1", ({}, {}))
        container = command["spec"]["template"]["spec"]["containers"][0]
        assert (container["image"], container["command"], container["env"]) == ("mine:2", ["a", "b c"], [])

    def test_another_question_is_another_job(self) -> None:
        asked = [
            ClaimProbe(Preset.FILES), ClaimProbe(Preset.FILES, paths=("a",)), ClaimProbe(Preset.FILES, paths=("a", "b")),
            ClaimProbe(Preset.SQLITE), ClaimProbe(Preset.SQLITE, "i"), ClaimProbe(Preset.COMMAND, "i", command=("a",)),
            *(ClaimProbe(Preset.HTTP, "i", port=80, page=page, at=at) for page, at in (("/", "/a"), ("/", "/b"), ("/c", "/a"))),
        ]  # fmt: skip
        assert len({probe_name(self.of(one)) for one in asked}) == len(asked)

"""kubernetes.install-crds: what the charts of the CRD helmfile bring, established; never what somebody else keeps by now."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kubernetes.results import CrdState
from bootstrap.steps.install_crds import ApplyCrds
from engine.errors import PermanentError
from engine.probe import Condition
from house.model import CrdForm, CrdSource
from tests.hands import do, is_a_command, only, see
from tests.scenario.running import Running

STEP = "kubernetes.install-crds/volsync-system/volsync"
CRD = "replicationsources.volsync.backube"
OTHER = "replicationdestinations.volsync.backube"


def becomes(house: Running, **changes: object) -> CrdState:
    """Let the API have this of one definition."""
    crds = house.home.kube.objects().crds
    crds[CRD] = replace(crds[CRD], **changes)  # type: ignore[arg-type]  # fields by name
    return crds[CRD]


def test_without_an_api_server_nothing_is_known(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_house_without_a_crd_helmfile_has_no_such_steps_nor_checks(bare: Running) -> None:
    bare.house = replace(bare.house, crd_helmfile=None, crd_charts=())
    names = [each.id for each in (*bare.bootstrap.steps, *bare.bootstrap.checks)]
    assert not [name for name in names if "crds" in name]
    assert bare.apply(bare.bootstrap).converged


def test_what_is_not_there_is_applied_and_waited_for(built: Running) -> None:
    del built.home.kube.objects().crds[CRD]
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.detail, seen.evidence) == (Condition.MISSING, "1 of 2 not there", (CRD,))
    do(built, built.bootstrap, STEP)
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.evidence) == (Condition.CHANGING, (f"{CRD}: Installing",))
    built.clock.sleep(1)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_another_version_of_the_chart_than_ours_is_brought_up_to_date(built: Running) -> None:
    becomes(built, digest="older")
    assert see(built, built.bootstrap, STEP).condition is Condition.DRIFTED
    reached = len(built.home.world.happenings)
    do(built, built.bootstrap, STEP)
    assert [h.what for h in built.home.world.happenings[reached:]] == [f"definition {CRD} applied"]


@pytest.mark.parametrize("served", [("v1",), ("v1", "v2"), ("v1alpha1",)])
def test_what_flux_keeps_is_left_to_it_older_or_newer(built: Running, served: tuple[str, ...]) -> None:
    kept = becomes(built, keepers=("helm-controller",), served=served, digest="of another")
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "2 established, kept by helm-controller since")
    del built.home.kube.objects().crds[OTHER]
    do(built, built.bootstrap, STEP)
    assert built.home.kube.objects().crds[CRD] == kept, "only the other one was applied"


def test_what_somebody_else_keeps_is_left_too_as_long_as_it_serves_what_is_needed(built: Running) -> None:
    becomes(built, keepers=("kubectl",), chart="", digest="", served=("v1", "v1beta1"))
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_an_old_one_that_nobody_would_bring_up_to_date_is_told_and_not_touched(built: Running) -> None:
    becomes(built, keepers=("kubectl",), served=("v1alpha1",))
    with pytest.raises(PermanentError, match=f"{CRD} is kept by kubectl and does not serve v1") as told:
        see(built, built.bootstrap, STEP)
    assert "--force-conflicts" in told.value.hint


def test_two_charts_that_bring_the_same_do_not_take_it_from_each_other(built: Running) -> None:
    becomes(built, chart="volsync-system/fork", digest="of the fork")
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "2 established, kept by volsync-system/fork since")


def test_one_that_is_being_deleted_is_waited_for(built: Running) -> None:
    becomes(built, leaving=True, digest="older")
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.evidence) == (Condition.CHANGING, (f"{CRD}: being deleted",))


def test_they_are_there_before_the_hold_and_every_release(bare: Running) -> None:
    graph = bare.bootstrap.graph()
    assert {STEP, "kubernetes.install-crds/volsync-system/snapshot-controller"} <= set(graph.needs("hold.install"))
    assert STEP in graph.needs("helm.sync-release/kube-system/cilium")


def test_a_chart_that_does_not_render_stops_the_run_before_anything_is_made(bare: Running) -> None:
    bare.home.unfetchable["volsync-system/volsync"] = "404 Not Found"
    report = bare.apply(only(bare.bootstrap, "preflight.", "proxmox."))
    assert [step.id for step in report.root_causes] == ["preflight.crds/volsync-system/volsync"]
    assert "cannot be rendered: 404 Not Found" in report["preflight.crds/volsync-system/volsync"].detail
    assert bare.home.proxmox.vms == {}


SOURCE = CrdSource("gateway-api/standard", CrdForm.URL, "https://git.invalid/v1.3.0/standard.yaml", "v1.3.0", "ab" * 32)
NAMED = "kubernetes.install-crds/gateway-api/standard"


def test_what_the_settings_name_is_had_before_the_first_vm_and_applied_before_the_first_release(bare: Running) -> None:
    bare.house = replace(bare.house, crd_sources=(SOURCE,))
    bare.home.unfetchable[SOURCE.key] = "is not what its checksum is of"
    report = bare.apply(only(bare.bootstrap, "preflight.", "proxmox."))
    assert [step.id for step in report.root_causes] == ["preflight.crds/gateway-api/standard"]
    assert bare.home.proxmox.vms == {}
    bare.home.unfetchable.clear()
    assert NAMED in bare.bootstrap.graph().needs("helm.sync-release/kube-system/cilium")
    assert bare.apply(bare.bootstrap).converged
    assert see(bare, bare.bootstrap, NAMED).condition is Condition.SATISFIED


def test_a_newer_entry_of_the_settings_brings_its_definition_up_to_date(built: Running) -> None:
    built.house = replace(built.house, crd_sources=(SOURCE,))
    assert see(built, built.bootstrap, NAMED).condition is Condition.MISSING
    do(built, built.bootstrap, NAMED)
    built.clock.sleep(1)
    built.house = replace(built.house, crd_sources=(replace(SOURCE, version="v1.4.0", sha256="cd" * 32),))
    assert see(built, built.bootstrap, NAMED).condition is Condition.DRIFTED


@pytest.mark.parametrize("form", [CrdForm.FILE, CrdForm.URL])
@pytest.mark.parametrize("right", [True, False])
def test_a_person_types_a_command_that_checks_before_it_applies(tmp_path: Path, right: bool, form: CrdForm) -> None:
    manifest = b"kind: Namespace\n---\nkind: CustomResourceDefinition\nname: it\n"
    (tmp_path / "it.yaml").write_bytes(manifest)
    checksum = hashlib.sha256(manifest if right else b"another").hexdigest()
    place = str(tmp_path / "it.yaml") if form is CrdForm.FILE else "https://git.invalid/it.yaml"
    typed = ApplyCrds(CrdSource("it", form, place, sha256=checksum)).by_hand()
    assert is_a_command(typed)
    stand_ins = f'kubectl() {{ cat; }}; curl() {{ cp {tmp_path}/it.yaml "$3"; }}'
    shown = subprocess.run(["bash", "-c", f"{stand_ins}; {typed}"], capture_output=True, text=True, check=False, timeout=20)
    applied = "---\nkind: CustomResourceDefinition\nname: it\n\n"
    assert shown.stdout == applied if right else "FAILED" in shown.stdout and applied not in shown.stdout

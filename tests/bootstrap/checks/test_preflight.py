"""Every preflight check says no by its own reason alone, and yes once that reason is gone. Of hosts and image: beside this."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import PreflightRefused
from engine.probe import Condition, Probe
from engine.step import Severity
from house.model import Requirement, UnsupportedBackup
from lab.world.store import Trouble
from tests.hands import see
from tests.scenario.running import DATA, Running


def test_every_check_of_a_bare_house_says_yes(bare: Running) -> None:
    for check in bare.bootstrap.checks:
        if check.id.startswith("preflight."):
            assert see(bare, bare.bootstrap, check.id).condition is Condition.SATISFIED, check.id
            assert check.severity is Severity.BLOCKING


class TestVersions:
    def of(self, bare: Running, *, kubernetes_version: str = "", talos_version: str = "") -> Probe:
        cluster = bare.house.cluster
        cluster = replace(cluster, kubernetes_version=kubernetes_version or cluster.kubernetes_version)
        bare.house = replace(bare.house, cluster=replace(cluster, talos_version=talos_version or cluster.talos_version))
        return see(bare, bare.bootstrap, "preflight.versions")

    def test_a_kubernetes_that_this_talos_does_not_run(self, bare: Running) -> None:
        seen = self.of(bare, kubernetes_version="v1.37.0")
        assert seen.condition is Condition.DRIFTED
        assert seen.detail.endswith("runs Kubernetes 1.31 to 1.36, not v1.37.0")

    def test_a_talosctl_of_another_time(self, bare: Running) -> None:
        seen = self.of(bare, talos_version="v1.15.2", kubernetes_version="v1.36.1")
        assert "talosctl v1.13.9 is not for Talos v1.15.2: take one of 1.15" in seen.detail

    def test_a_newer_talosctl_is_told_and_stops_nothing(self, bare: Running) -> None:
        seen = self.of(bare, talos_version="v1.10.6", kubernetes_version="v1.33.4")
        assert seen.condition is Condition.SATISFIED
        assert seen.detail.endswith("talosctl v1.13.9 is 3 minors newer than Talos v1.10.6, which it warns of")

    def test_a_talos_that_nobody_knew_when_this_was_written_warns_and_stops_nothing(self, bare: Running) -> None:
        seen = self.of(bare, talos_version="v1.99.0")
        assert "is not known to this version of Blackstart" in seen.detail
        (check,) = [c for c in bare.bootstrap.checks if c.id == "preflight.versions"]
        assert check.severity is Severity.ADVISORY

    def test_a_proxmox_that_cannot_fetch_a_disk_image(self, bare: Running) -> None:
        bare.home.proxmox.version = "8.3.5"
        assert self.of(bare).detail == "Proxmox 8.3.5 cannot fetch a disk image by itself; 8.4 or newer can"


class TestKeys:
    def test_the_age_key_first_since_it_opens_the_bundle(self, bare: Running) -> None:
        bare.home.files.age_key_problem = "it is not the recipient of .sops.yaml"
        bare.home.files.bundle_problem = "no key opens it"
        seen = see(bare, bare.bootstrap, "preflight.keys")
        assert seen.condition is Condition.MISSING
        assert "not the recipient" in seen.detail
        assert seen.evidence == (f".sops.yaml names {bare.house.age_recipient}",)

    def test_a_recipient_that_could_not_be_compared_is_not_passed_over(self, bare: Running) -> None:
        assert see(bare, bare.bootstrap, "preflight.keys").detail == "both open"
        bare.house = replace(bare.house, age_recipient="")
        assert "no recipient to compare" in see(bare, bare.bootstrap, "preflight.keys").detail

    def test_a_bundle_in_plain_text_is_told_with_what_encrypts_it(self, bare: Running) -> None:
        bundle = Path("/home-ops/talos/talsecret.yaml")
        bare.house = replace(bare.house, cluster=replace(bare.house.cluster, secrets_bundle=bundle, plain_bundle=True))
        seen = see(bare, bare.bootstrap, "preflight.keys")
        assert seen.condition is Condition.SATISFIED
        assert seen.detail.endswith("in plain text: git mv /home-ops/talos/talsecret.yaml /home-ops/talos/talsecret.sops.yaml"
                                    " && sops --encrypt --in-place /home-ops/talos/talsecret.sops.yaml")  # fmt: skip

    def test_the_bundle_by_its_path(self, bare: Running) -> None:
        bare.home.files.bundle_problem = "there is no such file"
        seen = see(bare, bare.bootstrap, "preflight.keys")
        assert seen.evidence == (str(bare.house.cluster.secrets_bundle),)


class TestMachineconfigs:
    def test_what_cannot_be_made_is_told_with_its_talconfig(self, bare: Running) -> None:
        bare.home.files.render_problem = "cp-1: unknown keys found"
        seen = see(bare, bare.bootstrap, "preflight.machineconfigs")
        assert (seen.condition, seen.evidence) == (Condition.MISSING, (str(bare.house.cluster.talconfig),))
        assert "cp-1: unknown keys found" in seen.detail

    def test_what_lies_there_of_the_same_files_is_not_made_again_but_after_a_change(self, built: Running) -> None:
        built.home.files.render_problem = "cp-1: unknown keys found"
        assert see(built, built.bootstrap, "preflight.machineconfigs").condition is Condition.SATISFIED
        built.home.files.edits += 1
        assert see(built, built.bootstrap, "preflight.machineconfigs").condition is Condition.MISSING


class TestStrangers:
    def test_silence_is_no_stranger_and_our_own_nodes_are_none(self, built: Running) -> None:
        assert see(built, built.bootstrap, "preflight.strangers").detail.startswith("4 of 4")
        built.home.proxmox.host_down("pve-4")
        assert see(built, built.bootstrap, "preflight.strangers").detail.startswith("3 of 4")

    def test_after_a_change_of_the_bundle_every_node_is_one(self, built: Running) -> None:
        built.home.files.bundle = "another"
        seen = see(built, built.bootstrap, "preflight.strangers")
        assert seen.condition is Condition.MISSING
        assert len(seen.evidence) == 4


class TestClone:
    def test_uncommitted_files_are_named(self, bare: Running) -> None:
        bare.home.files.dirty = tuple(f"file-{n}" for n in range(12))
        seen = see(bare, bare.bootstrap, "preflight.clone")
        assert (seen.condition, len(seen.evidence)) == (Condition.DRIFTED, 10)
        assert seen.detail == "12 files are not committed"
        assert "commit and push" in seen.hint and ".gitignore" in seen.hint

    def test_another_commit_than_flux_will_pull(self, bare: Running) -> None:
        bare.home.files.commit = "deadbeef" * 5
        seen = see(bare, bare.bootstrap, "preflight.clone")
        assert (seen.condition, seen.evidence[0]) == (Condition.DRIFTED, "here deadbeefdead")
        assert "push" in seen.hint and "pull" in seen.hint

    def test_a_remote_that_does_not_answer_is_unknown(self, bare: Running) -> None:
        bare.home.files.remote_problem = "could not resolve host"
        seen = see(bare, bare.bootstrap, "preflight.clone")
        assert (seen.condition, seen.evidence) == (Condition.UNKNOWN, ("could not resolve host",))


def test_a_chart_that_cannot_be_fetched_is_named_with_its_version(bare: Running) -> None:
    bare.home.unfetchable["kube-system/cilium"] = "404 Not Found"
    seen = see(bare, bare.bootstrap, "preflight.chart/kube-system/cilium")
    assert seen.condition is Condition.MISSING
    assert "charts/cilium 1.0.0 cannot be fetched: 404 Not Found" in seen.detail
    assert see(bare, bare.bootstrap, "preflight.chart/kube-system/coredns").condition is Condition.SATISFIED


def test_a_program_of_a_hook_that_is_not_here_is_no_chart_that_cannot_be_fetched(bare: Running) -> None:
    bare.home.unhooked["kube-system/cilium"] = "its hook runs jq, which is not on this machine's PATH"
    seen = see(bare, bare.bootstrap, "preflight.chart/kube-system/cilium")
    told = "charts/cilium 1.0.0 cannot be synced: its hook runs jq, which is not on this machine's PATH"
    assert seen.condition is Condition.MISSING and told in seen.detail
    bare.home.unfetchable["kube-system/coredns"] = "its hook for 404 Not Found"
    seen = see(bare, bare.bootstrap, "preflight.chart/kube-system/coredns")
    assert "cannot be fetched: its hook for 404 Not Found" in seen.detail, "whatever words a server uses"


class TestBackup:
    CHECK = "preflight.backup/apps/notes"

    @pytest.mark.parametrize(
        ("trouble", "said", "word"),
        [
            (Trouble.DAMAGED, Condition.MISSING, "unreadable"),
            (Trouble.REFUSED, Condition.MISSING, "refused"),
            (Trouble.FOREIGN, Condition.MISSING, "foreign"),
            (Trouble.UNREACHABLE, Condition.UNKNOWN, "unreachable"),
        ],
    )
    def test_each_trouble_has_its_own_word(self, bare: Running, trouble: Trouble, said: Condition, word: str) -> None:
        for repository in bare.home.store.repositories.values():
            repository.trouble = trouble
        seen = see(bare, bare.bootstrap, self.CHECK)
        assert (seen.condition, seen.detail.split(":")[0]) == (said, word)

    def test_a_claim_that_may_be_empty_only_warns_until_the_lock_knows_it(self, bare: Running) -> None:
        from bootstrap.course import course

        claim = replace(bare.house.claims[0], requirement=Requirement(False, 0.0, 0))
        bare.house = replace(bare.house, claims=(claim,))

        def severity(known: dict[str, str]) -> Severity:
            return next(c for c in course(bare.house, known).checks if c.id == self.CHECK).severity

        assert severity({}) is Severity.ADVISORY
        assert severity({"apps/notes": "abcd"}) is Severity.BLOCKING

    def test_less_than_the_claim_requires_is_empty(self, bare: Running) -> None:
        size = sum(entry.size for entry in DATA)
        for least, said in ((size, Condition.SATISFIED), (size + 1, Condition.MISSING)):
            claim = replace(bare.house.claims[0], requirement=Requirement(True, 0.0, least))
            bare.house = replace(bare.house, claims=(claim,))
            assert see(bare, bare.bootstrap, self.CHECK).condition is said


def test_a_backup_that_the_hold_cannot_hold_stops_the_run_and_is_named(bare: Running) -> None:
    check = "preflight.engines"
    assert see(bare, bare.bootstrap, check).condition is Condition.SATISFIED
    bare.house = replace(bare.house, unsupported=(UnsupportedBackup("apps", "wiki", "kopia", "kubernetes/apps/wiki.yaml:3"),))
    report = bare.apply(bare.bootstrap)
    assert report.exit_code == PreflightRefused.exit_code
    assert [step.id for step in report.root_causes] == [check]
    assert report[check].evidence == ("apps/wiki: kopia, kubernetes/apps/wiki.yaml:3",)
    assert bare.home.proxmox.vms == {}

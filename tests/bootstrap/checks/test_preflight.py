"""Every preflight check says no by its own reason alone, and yes once that reason is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import PermanentError, PreflightRefused
from engine.probe import Condition, Probe
from engine.step import Severity
from house.model import DiskFate, Requirement, UnsupportedBackup
from lab.world.disks import DiskContents, LabStorage
from lab.world.pve_vm import LabVm, PowerEvent
from lab.world.store import Trouble
from tests.builders import GIB
from tests.hands import only, see
from tests.scenario.running import DATA, Running


def test_every_check_of_a_bare_house_says_yes(bare: Running) -> None:
    for check in bare.bootstrap.checks:
        if check.id.startswith("preflight."):
            assert see(bare, bare.bootstrap, check.id).condition is Condition.SATISFIED, check.id
            assert check.severity is Severity.BLOCKING


class TestQuorum:
    def test_a_majority_is_enough_and_who_is_missing_is_a_row_of_its_own(self, bare: Running) -> None:
        bare.home.proxmox.host_down("pve-4")
        assert see(bare, bare.bootstrap, "preflight.quorum").condition is Condition.SATISFIED
        seen = see(bare, bare.bootstrap, "preflight.host/pve-4")
        assert (seen.condition, seen.detail, seen.evidence) == (Condition.MISSING, "pve-4 is offline: w-1 left out", ())
        assert see(bare, bare.bootstrap, "preflight.host/pve-1").condition is Condition.SATISFIED

    def test_without_a_control_planes_host_it_says_what_etcd_can_bear(self, bare: Running) -> None:
        bare.home.proxmox.host_down("pve-2")
        seen = see(bare, bare.bootstrap, "preflight.host/pve-2")
        assert seen.evidence == ("control planes on hosts that are there: 2 of 3; one more loss stops it",)

    def test_a_host_that_nobody_knows_is_told_apart_from_one_that_is_off(self, bare: Running) -> None:
        node = replace(bare.house.nodes[0], host="pve-9")
        bare.house = replace(bare.house, nodes=(node, *bare.house.nodes[1:]))
        assert see(bare, bare.bootstrap, "preflight.host/pve-9").detail == "there is no host pve-9"

    def test_a_host_with_a_silent_status_daemon_is_there(self, bare: Running) -> None:
        bare.home.proxmox.hosts["pve-2"].mute = True
        assert "pvestatd" in see(bare, bare.bootstrap, "preflight.host/pve-2").detail

    def test_no_quorum_names_who_is_up_and_who_is_down(self, bare: Running) -> None:
        for host in ("pve-1", "pve-2"):
            bare.home.proxmox.host_down(host)
        seen = see(bare, bare.bootstrap, "preflight.quorum")
        assert seen.evidence == ("online: pve-3, pve-4", "offline: pve-1, pve-2")

    def test_a_proxmox_that_does_not_answer_is_unknown(self, bare: Running) -> None:
        for host in list(bare.home.proxmox.hosts):
            bare.home.proxmox.host_down(host)
        assert see(bare, bare.bootstrap, "preflight.quorum").condition is Condition.UNKNOWN


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


class TestKeptDisks:
    ID = "preflight.kept-disks/cp-1"

    def leave(self, bare: Running, vm_id: int = 8001) -> None:
        storage = bare.home.proxmox.storages.find("pve-1", "local-lvm")
        assert storage is not None
        assert storage.new_disk(vm_id, 50 * GIB, 0.0, DiskContents())

    def test_a_disk_that_outlived_its_vm_stops_the_run_and_is_named(self, bare: Running) -> None:
        self.leave(bare)
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("local-lvm:vm-8001-disk-0, 50.0 GiB",))
        report = bare.apply(bare.bootstrap)
        assert [line.id for line in report.root_causes] == [self.ID]
        assert sorted(bare.home.proxmox.vms) == [8002, 8003, 8004], "what is not its own goes on"

    def test_another_vms_disk_is_none_of_ours(self, bare: Running) -> None:
        self.leave(bare, 117)
        assert see(bare, bare.bootstrap, self.ID).condition is Condition.SATISFIED

    def test_of_what_can_be_created_anew_nothing_is_asked(self, bare: Running) -> None:
        self.leave(bare)
        nodes = tuple(
            replace(node, disks=tuple(replace(disk, fate=DiskFate.CREATE) for disk in node.disks)) for node in bare.house.nodes
        )
        bare.house = replace(bare.house, nodes=nodes)
        assert self.ID not in [check.id for check in bare.bootstrap.checks]

    def test_a_vm_that_is_there_has_its_disks(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.ID).detail == "a VM has them"


class TestPrivileges:
    @pytest.mark.parametrize(
        ("path", "left", "lacking"),
        [
            ("/vms/8002", "VM.Audit", "/vms/8002: VM.Allocate"),
            ("/storage/local", "Datastore.Audit", "/storage/local: Datastore.AllocateTemplate"),
            ("/sdn/zones/localnetwork/vmbr0", "SDN.Audit", "/sdn/zones/localnetwork/vmbr0: SDN.Use"),
            ("/", "VM.Audit", "/: Sys.Audit"),
            ("/nodes/pve-1", "Sys.Audit", "/nodes/pve-1: Sys.AccessNetwork"),
        ],
    )
    def test_what_is_lacking_is_named_with_its_path(self, bare: Running, path: str, left: str, lacking: str) -> None:
        bare.home.proxmox.access.tokens[bare.house.proxmox.token_id].rights[path] = frozenset({left})
        seen = see(bare, bare.bootstrap, "preflight.privileges")
        assert seen.condition is Condition.MISSING
        assert lacking in seen.evidence


class TestRoom:
    CHECK = "preflight.room/pve-1"

    def storage(self, house: Running, name: str) -> LabStorage:
        """A storage of the first host."""
        found = house.home.proxmox.storages.find("pve-1", name)
        assert found is not None
        return found

    def no(self, house: Running) -> tuple[str, ...]:
        """What the check gives as its reasons; other hosts' checks must still say yes."""
        seen = see(house, house.bootstrap, self.CHECK)
        assert seen.condition is Condition.MISSING
        assert see(house, house.bootstrap, "preflight.room/pve-2").condition is Condition.SATISFIED
        return seen.evidence

    def test_memory(self, bare: Running) -> None:
        bare.home.proxmox.hosts["pve-1"].memory = 9 * GIB
        assert self.no(bare) == ("memory: 8.0 GiB wanted, 7.0 GiB free",)

    def test_space(self, bare: Running) -> None:
        self.storage(bare, "local-lvm").total = 60 * GIB
        assert self.no(bare) == ("storage local-lvm: 70.0 GiB wanted, 60.0 GiB free",)

    def test_space_on_a_shared_storage_must_do_for_all_hosts(self, bare: Running) -> None:
        bare.home.proxmox.storages.add(LabStorage("ceph", "rbd", frozenset({"images"}), 150 * GIB, shared=True))
        nodes = [replace(n, disks=tuple(replace(d, storage="ceph") for d in n.disks)) for n in bare.house.nodes]
        bare.house = replace(bare.house, nodes=tuple(nodes))
        asked = sum(disk.size for node in nodes for disk in node.disks) // GIB
        seen = see(bare, bare.bootstrap, self.CHECK)
        assert seen.evidence == (f"storage ceph: {asked}.0 GiB wanted, 150.0 GiB free",)

    def test_content_type(self, bare: Running) -> None:
        self.storage(bare, "local").content = frozenset({"iso"})
        assert self.no(bare) == (
            "storage local: content type 'import' is not enabled: pvesm set local --content import,iso",
        )

    def test_a_storage_that_is_not_active(self, bare: Running) -> None:
        self.storage(bare, "local-lvm").active = False
        assert self.no(bare) == ("storage local-lvm: not active",)

    def test_a_storage_that_is_not_there(self, bare: Running) -> None:
        node = bare.house.nodes[0]
        disks = tuple(replace(disk, storage="fast") for disk in node.disks)
        bare.house = replace(bare.house, nodes=(replace(node, disks=disks), *bare.house.nodes[1:]))
        assert self.no(bare) == ("storage fast: not on this host",)

    def test_memory_of_a_vm_that_is_there_and_off(self, built: Running) -> None:
        built.home.proxmox.power(built.home.proxmox.vms[8001], PowerEvent.STOPPED)
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        built.home.proxmox.hosts["pve-1"].memory = 4 << 30
        assert self.no(built)[0].startswith("memory: ")

    def test_what_is_there_already_needs_no_room(self, built: Running) -> None:
        built.home.proxmox.hosts["pve-1"].memory = 10 * GIB
        self.storage(built, "local").content = frozenset({"iso"})
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, "nothing to make")

    def test_somebody_else_s_vm_at_our_id_is_a_permanent_no(self, bare: Running) -> None:
        bare.home.proxmox.vms[8001] = LabVm(8001, "pve-1", {"name": "desktop"}, {}, {})
        with pytest.raises(PermanentError, match="not ours"):
            see(bare, bare.bootstrap, self.CHECK)


class TestClocks:
    @pytest.mark.parametrize(("skew", "said"), [(31.0, Condition.MISSING), (-40.0, Condition.MISSING), (25.0, Condition.SATISFIED)])
    def test_half_a_minute_is_the_limit_and_each_host_has_its_own_row(self, bare: Running, skew: float, said: Condition) -> None:
        bare.home.proxmox.hosts["pve-2"].skew = skew
        seen = see(bare, bare.bootstrap, "preflight.clock/pve-2")
        assert seen.condition is said
        assert [line.split(":")[0] for line in seen.evidence] == (["pve-2"] if said is Condition.MISSING else [])
        assert see(bare, bare.bootstrap, "preflight.clock/pve-1").condition is Condition.SATISFIED

    def test_a_host_that_is_off_has_told_no_time(self, bare: Running) -> None:
        bare.home.proxmox.host_down("pve-2")
        assert see(bare, bare.bootstrap, "preflight.clock/pve-2").condition is Condition.UNKNOWN


class TestImage:
    ID = "preflight.image"

    def unpinned(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=replace(bare.house.image, sha256=""))

    def test_another_checksum_is_drift_that_shows_both(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=replace(bare.house.image, sha256="0" * 64))
        seen = see(bare, bare.bootstrap, self.ID)
        assert seen.condition is Condition.DRIFTED
        assert seen.evidence[1] == f"pinned {'0' * 64}"

    def test_a_pin_is_enough_where_the_factory_publishes_no_checksum(self, bare: Running) -> None:
        assert see(bare, bare.bootstrap, self.ID).detail.endswith("vouches for it, the factory agrees")
        bare.home.proxmox.images.checksums = False
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, "it is there; image.sha256 in the settings vouches for it")

    def test_without_a_pin_the_factory_vouches_and_it_says_so(self, bare: Running) -> None:
        self.unpinned(bare)
        assert "the factory itself vouches for it" in see(bare, bare.bootstrap, self.ID).detail

    def test_with_neither_it_names_the_line_to_add(self, bare: Running) -> None:
        self.unpinned(bare)
        bare.home.proxmox.images.checksums = False
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.detail) == (
            Condition.MISSING, "the factory publishes no checksum, and none is pinned in the settings",
        )  # fmt: skip
        assert seen.evidence == ("blackstart.yaml, under image: the line `sha256: HEX` is missing",)
        assert seen.hint.endswith(f"curl -fsSL {bare.house.image.url} | sha256sum")
        assert [line.id for line in bare.apply(bare.bootstrap).root_causes] == [self.ID]
        assert not bare.home.proxmox.vms

    def test_a_factory_of_ones_own_is_asked_with_its_ca(self, bare: Running) -> None:
        from bootstrap.course import course

        own = replace(bare.house, image=replace(bare.house.image, ca_file="/house/factory ca.pem"))
        (check,) = [one for one in course(own, {}).checks if one.id == self.ID]
        assert check.by_hand().startswith("curl -fsSL --cacert '/house/factory ca.pem' -r 0-0 -o /dev/null ")

    def test_an_image_that_nobody_publishes(self, bare: Running) -> None:
        bare.house = replace(bare.house, image=replace(bare.house.image, url="https://127.10.0.21:8443/image/none.qcow2"))
        seen = see(bare, bare.bootstrap, self.ID)
        assert (seen.condition, seen.evidence) == (Condition.MISSING, ("404 Not Found",))

    def test_a_factory_that_is_down_is_unknown_until_every_host_has_the_image(self, bare: Running) -> None:
        bare.home.proxmox.images.down = True
        assert see(bare, bare.bootstrap, self.ID).condition is Condition.UNKNOWN
        bare.home.proxmox.images.down = False
        assert bare.apply(only(bare.bootstrap, "preflight.", "proxmox.lift", "proxmox.fetch-image")).converged
        bare.home.proxmox.images.down = True
        assert see(bare, bare.bootstrap, self.ID).detail.startswith("no host needs it any more")

    def test_a_house_whose_vms_are_all_there_needs_none(self, with_vms: Running) -> None:
        for host in with_vms.home.proxmox.hosts:
            storage = with_vms.home.proxmox.storages.find(host, "local")
            assert storage is not None
            storage.volumes.clear()
        with_vms.home.proxmox.images.down = True
        assert see(with_vms, with_vms.bootstrap, self.ID).condition is Condition.SATISFIED
        assert see(with_vms, with_vms.bootstrap, "proxmox.fetch-image/pve-1").condition is Condition.SATISFIED


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

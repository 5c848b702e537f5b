"""What would stop a rebuild of a house that lives: each row has a fault that turns exactly it, and a look changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.registries.results import Allowance
from adapters.talos.results import Authority
from console.kit.secrets import files_of
from engine.errors import SettingsInvalid
from engine.report import Report
from engine.verify import verify
from house.declared.kinds import NO_KINDS
from house.model import UnsupportedBackup
from house.values.rehearsing import Mirror
from rehearsal.images import checks as images
from rehearsal.lost import as_if_lost
from rehearsal.outcome import DrillVerdict
from rehearsal.rebuilding import Authorities, References, Row, course, rows, verdict_of
from tests.bootstrap.checks.test_snapshot_classes import SOURCE
from tests.crash.apart import Built
from tests.house.data.test_data import rendered
from tests.house.reading import load
from tests.house.settings.test_afterwards import with_more
from tests.house.small_house import A_CA
from tests.scenario.running import Running

DAY = 86400.0
CHARTS = "quay.io/charts"
Lacks = tuple[tuple[str, bool], ...]


class Living(Running):
    """A house that was built and restored; `lacks` and `ends` are what its secrets and files say."""

    lacks: Lacks = ()
    ends: dict[str, float | None] = {}  # noqa: RUF012 - each test puts its own

    def rows(self) -> tuple[Row, ...]:
        """The table, and that asking for it has changed nothing."""
        before = list(self.home.world.faults.reached)
        table = rows(self.report())
        assert self.home.world.faults.reached == before
        return table

    def report(self) -> Report:
        checks = References(self.house, lambda: self.lacks), Authorities(self.house, lambda: self.ends)
        wanted = course(self.house, {}, *checks, *images(self.house))
        return verify(wanted.graph(), as_if_lost(self.home.look(), self.house), clock=self.clock)


def living(folder: Path) -> Living:
    return Living.restored(folder / "state")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[Living]:
    return Built(living, tmp_path_factory.mktemp("rebuilding") / "house")


def looked(built: Built[Living], spoil: Callable[[Living], object]) -> tuple[Row, ...]:
    """The table of a house that was spoilt so."""

    def play(there: Living) -> tuple[Row, ...]:
        spoil(there)
        return there.rows()

    return built.visit(play)


def red(table: tuple[Row, ...]) -> list[str]:
    """What stops a rebuild."""
    return [row.id for row in table if row.verdict is DrillVerdict.FAIL]


def test_a_house_that_lives_could_be_rebuilt_and_everything_is_asked_for(built: Built[Living]) -> None:
    """Also the image and the charts, of which a bootstrap that finds the VMs there asks nothing."""
    table = looked(built, lambda there: None)
    assert verdict_of(table) is DrillVerdict.PASS, [row for row in table if row.verdict is not DrillVerdict.PASS]
    told = {row.id: row.detail for row in table}
    assert "no host needs it" not in told["preflight.image"]
    assert all("to make, and room" in told[f"preflight.room/pve-{n}"] for n in range(1, 5))
    assert not any(one.startswith(("preflight.backup", "preflight.strangers")) for one in told)


def without_import(there: Living) -> None:
    """Of which a house whose VMs are all there has no need."""
    storage = there.home.proxmox.storages.find("pve-1", "local")
    assert storage is not None
    storage.content = frozenset({"iso"})


def without_a_privilege(there: Living) -> None:
    there.home.proxmox.access.tokens[there.house.proxmox.token_id].rights["/vms/8002"] = frozenset({"VM.Audit"})


def unpublished(there: Living) -> None:
    there.house = replace(there.house, image=replace(there.house.image, url="https://factory.talos.dev/image/gone/nocloud-amd64.qcow2"))


def unsupported(there: Living) -> None:
    there.house = replace(there.house, unsupported=(UnsupportedBackup("apps", "wiki", "kopia", "kubernetes/apps/wiki.yaml:3"),))


FAULTS: dict[str, Callable[[Living], object]] = {
    "preflight.privileges": without_a_privilege,
    "preflight.image": unpublished,
    "preflight.room/pve-1": without_import,
    "preflight.clock/pve-2": lambda t: setattr(t.home.proxmox.hosts["pve-2"], "skew", 40.0),
    "preflight.keys": lambda t: setattr(t.home.files, "age_key_problem", "it is another's"),
    "preflight.versions": lambda t: setattr(t.home.proxmox, "version", "8.3.5"),
    "preflight.clone": lambda t: setattr(t.home.files, "dirty", ("a-file",)),
    "preflight.chart/kube-system/cilium": lambda t: t.home.unfetchable.update({"kube-system/cilium": "404 Not Found"}),
    "preflight.engines": unsupported,
    "rebuild.images/machines": lambda t: t.home.registries.missing.add("registry.k8s.io/kube-scheduler:v1.36.3"),
    "rebuild.images/kube-system/cilium": lambda t: t.home.registries.missing.add(f"{CHARTS}/cilium:1.0.0"),
    "rebuild.pulls": lambda t: t.home.registries.allowances.update({"quay.io": Allowance(1, 100, 21600)}),
    "rebuild.secrets": lambda t: setattr(t, "lacks", (("the deploy key: env:KEY is not set", True),)),
    "preflight.machineconfigs": lambda t: setattr(t.home.files, "render_problem", "cp-1: unknown field"),
    "rebuild.certificates": lambda t: setattr(t.home.files, "authorities", (Authority("the Talos CA", t.clock.now() + 9 * DAY),)),
}
"""Each row with what turns exactly it. A host that is gone is below: what hangs on it is not told then."""


@pytest.mark.parametrize("row", list(FAULTS))
def test_each_fault_turns_exactly_its_row(built: Built[Living], row: str) -> None:
    table = looked(built, FAULTS[row])
    assert red(table) == [row], [(one.id, one.detail) for one in table if one.verdict is not DrillVerdict.PASS]
    assert verdict_of(table) is DrillVerdict.FAIL
    assert table[0].id == row and table[0].detail


def test_no_row_is_without_a_fault(built: Built[Living]) -> None:
    """A row that nothing turns red proves nothing. Of kinds and definitions: tests/bootstrap/checks/test_kinds.py."""
    known = {*FAULTS, "preflight.quorum", "proxmox.machines"}
    areas = ("preflight.chart/", "preflight.crds/", "preflight.kinds/", "preflight.host/", "preflight.clock/", "preflight.room/",
             "preflight.kept-disks/", "rebuild.images/")  # fmt: skip
    ids = {row.id for row in looked(built, lambda there: None)}
    assert {one for one in ids if one not in known and not one.startswith(areas)} == set()


@pytest.mark.parametrize(
    ("ends", "says"),
    [(-3.0, "ended 3 days ago"), (20.0, "ends in 20 days"), (None, "no certificate can be read")],
)
def test_a_file_that_vouches_for_a_server_and_ends(built: Built[Living], ends: float | None, says: str) -> None:
    def spoil(there: Living) -> None:
        there.ends = {"/house/ca.pem": None if ends is None else there.clock.now() + ends * DAY}

    table = looked(built, spoil)
    assert red(table) == ["rebuild.certificates"]
    assert table[0].evidence == (f"/house/ca.pem: {says}",)


def test_a_store_of_secrets_that_is_silent_is_no_failure(built: Built[Living]) -> None:
    table = looked(built, lambda there: setattr(there, "lacks", (("1Password was not reached", False),)))
    assert (red(table), verdict_of(table)) == ([], DrillVerdict.UNVERIFIED)
    assert table[0].id == "rebuild.secrets"


def test_a_snapshot_class_of_the_cluster_that_lives_is_none_of_a_new_one(built: Built[Living]) -> None:
    """Somebody may have made it by hand there: only what Git shows is there after a rebuild."""

    def spoil(there: Living) -> None:
        there.house = replace(there.house, rendered=rendered(SOURCE), kinds=replace(NO_KINDS, unseen=("HelmRelease storage/csi",)))
        there.home.kube.objects().snapshot_classes.add("block")

    table = looked(built, spoil)
    assert (red(table), verdict_of(table), table[0].id) == ([], DrillVerdict.UNVERIFIED, "preflight.snapshot-classes")
    assert "who made it in the cluster that lives, Git does not show" in table[0].detail


def test_a_host_that_is_gone_is_one_row_and_what_hangs_on_it_is_not_told(built: Built[Living]) -> None:
    table = looked(built, lambda there: there.home.proxmox.host_down("pve-4"))
    assert red(table) == ["preflight.host/pve-4"]
    unseen = {row.id for row in table if row.verdict is DrillVerdict.UNVERIFIED and row.stops}
    assert unseen == {"preflight.clock/pve-4", "preflight.room/pve-4"}


def test_somebody_elses_vm_is_not_hidden(built: Built[Living]) -> None:
    """On an id of ours it stands in the way of a rebuild, which nobody sees as long as ours is there."""

    def play(there: Living) -> tuple[set[int], set[int]]:
        look = as_if_lost(there.home.look(), there.house)
        vm = next(iter(there.home.proxmox.vms.values()))
        before = {one.vm_id for one in look.proxmox.vms()}
        vm.options["description"] = "somebody's"
        return before, {one.vm_id for one in look.proxmox.vms()} ^ {vm.vm_id}

    assert built.visit(play) == (set(), set())


@pytest.mark.parametrize(
    "spoil",
    [lambda t: t.home.registries.silent.add("quay.io"), lambda t: t.home.registries.refused.add(f"{CHARTS}/cilium:1.0.0")],
    ids=["silent", "refused"],
)
def test_what_a_registry_does_not_say_or_gives_not_to_everybody_is_unknown(
    built: Built[Living], spoil: Callable[[Living], object]
) -> None:
    table = looked(built, spoil)
    (row,) = [one for one in table if one.id == "rebuild.images/kube-system/cilium"]
    assert (red(table), verdict_of(table), row.verdict) == ([], DrillVerdict.UNVERIFIED, DrillVerdict.UNVERIFIED)
    assert f"{CHARTS}/cilium:1.0.0" in row.evidence[0]


def test_no_image_of_a_silent_registry_is_taken_for_there(built: Built[Living]) -> None:
    """Of four images of the machines three are of one registry. That it is not asked for ever is in the contract."""
    table = looked(built, lambda there: there.home.registries.silent.add("registry.k8s.io"))
    (row,) = [one for one in table if one.id == "rebuild.images/machines"]
    assert row.verdict is DrillVerdict.UNVERIFIED and len(row.evidence) == 3


def test_one_that_allows_no_more_for_now_stops_a_rebuild_and_says_nothing_of_the_image(built: Built[Living]) -> None:
    table = looked(built, lambda there: there.home.registries.limited.add("quay.io"))
    assert red(table) == ["rebuild.pulls"]
    (row,) = [one for one in table if one.id == "rebuild.images/kube-system/cilium"]
    assert row.verdict is DrillVerdict.UNVERIFIED


def test_what_may_not_be_enough_for_every_node_is_worth_a_look(built: Built[Living]) -> None:
    """Each node pulls for itself, but not each image is pulled by each: what is provably short alone stops a rebuild."""
    table = looked(built, lambda there: there.home.registries.allowances.update({"quay.io": Allowance(8, 100, 21600)}))
    (row,) = [one for one in table if one.id == "rebuild.pulls"]
    assert (row.verdict, row.stops, verdict_of(table)) == (DrillVerdict.FAIL, False, DrillVerdict.PASS)
    assert "quay.io allows 8 of 100 more pulls for 6 h" in row.evidence[0]


EVERY = ("ghcr.io", "quay.io", "registry.k8s.io")


@pytest.mark.parametrize("counting", [(), ("quay.io",), EVERY], ids=["none counts", "one does", "all do"])
def test_only_where_each_registry_says_how_many_it_allows_they_are_enough(
    built: Built[Living], counting: tuple[str, ...]
) -> None:
    """One that counts for nobody may refuse all the same: that is not known, and stops no rebuild that is otherwise seen."""
    enough = Allowance(99, 100, 21600)
    table = looked(built, lambda there: there.home.registries.allowances.update(dict.fromkeys(counting, enough)))
    (row,) = [one for one in table if one.id == "rebuild.pulls"]
    untold = ", ".join(one for one in EVERY if one not in counting)
    assert row.verdict is (DrillVerdict.UNVERIFIED if untold else DrillVerdict.PASS)
    assert verdict_of(table) is DrillVerdict.PASS and not (untold and row.stops)
    assert all(f"{one} allows 99 of 100" in row.detail for one in counting)
    assert row.detail.endswith(f"not told by {untold}") if untold else "not told" not in row.detail


def test_what_serves_images_in_place_of_a_registry_is_taken_from_the_settings(tmp_path: Path) -> None:
    ca = tmp_path / "mirror.pem"
    ca.write_text(A_CA)
    said = f'"docker.io": {{url: "https://mirror.lan/", ca_file: "{ca}"}}, "*": {{url: "https://all.lan"}}'
    more = f"\nrehearsal: {{registries: {{{said}}}}}\n"
    house = load(with_more(tmp_path / "said", more))
    assert house.rehearsal.registries == (("docker.io", Mirror("https://mirror.lan", str(ca))), ("*", Mirror("https://all.lan")))
    assert str(ca) in files_of(house), "the kit takes it along, and its end is looked at"
    wrongs = {"url: 'http://plain.lan'": "url", "ca_file: x": "url", "url: 'https://a', ca_file: none.pem": "ca_file"}
    for at, (wrong, says) in enumerate(wrongs.items()):
        with pytest.raises(SettingsInvalid) as refused:
            load(with_more(tmp_path / str(at), f"\nrehearsal: {{registries: {{a.b: {{{wrong}}}}}}}\n"))
        assert any(f"rehearsal.registries.a.b.{says}" in line for line in refused.value.evidence), refused.value.evidence

"""What a person's talosctl asks beyond a bootstrap: files that Talos refuses, dry runs, etcd's own answers, ids that agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.wire.talos.kinds import BY_TYPE
from lab.wire.talos.pb import talos_pb2 as pb
from lab.wire.talos.resources import resources
from lab.world.machines.etcd import EtcdStatus
from tests.contract.talos.talos_wire import TalosHouseFiles, WireBench
from tests.lab.wire.test_talos import typed, waiting

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireBench]:
    """Two control planes, bootstrapped."""
    made = WireBench(TalosHouseFiles(tmp_path_factory.mktemp("talos-house")), tmp_path_factory.mktemp("bench"))
    made.machineconfigs.render()
    first, second = made.house.control_planes[:2]
    try:
        waiting(made, first, second)
        made.talos.bootstrap_etcd(first.address)
        made.until(lambda: made.talos.etcd(second.address).healthy, "the second joined")
        yield made
    finally:
        made.close()


def rendered(bench: WireBench) -> dict[str, object]:
    node = bench.house.bootstrap_node
    text = bench.world.at(node.address).config
    assert text is not None
    return dict(next(yaml.safe_load_all(text.text)))


def spoilt(bench: WireBench, how: str) -> str:
    """The first control plane's file with one thing in it that Talos does not take."""
    document = rendered(bench)
    machine = dict(document["machine"])  # type: ignore[call-overload]  # a mapping
    if how == "unknown key":
        machine["nonsense"] = 1
    elif how == "sysctls: 7":
        machine["sysctls"] = 7
    elif how == "address":
        machine["network"] = {"interfaces": [{"interface": "eth0", "addresses": ["999.1.1.1/24"]}]}
    else:
        machine["type"] = "worker"
    return yaml.safe_dump(document | {"machine": machine})


REFUSED = {
    "unknown key": "unknown keys found during decoding",
    "sysctls: 7": "cannot construct !!int",
    "address": "invalid CIDR address: 999.1.1.1/24",
    "type": "not allowed on non-controlplane nodes",
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_file_that_talos_refuses_is_refused_in_its_own_words(bench: WireBench, tmp_path: Path, how: str) -> None:
    node = bench.house.bootstrap_node
    file = tmp_path / "machineconfig.yaml"
    file.write_text(spoilt(bench, how))
    before = bench.world.at(node.address).config
    for flags in ((), ("--dry-run",)):
        answer = typed(bench, "apply-config", "-f", str(file), *flags, nodes=[node])
        assert (answer.returncode, REFUSED[how] in answer.stderr) == (1, True), answer.stderr
    assert bench.world.at(node.address).config == before


def test_a_dry_run_tells_the_difference_and_changes_nothing(bench: WireBench, tmp_path: Path) -> None:
    node = bench.house.bootstrap_node
    before = bench.world.at(node.address).config
    assert before is not None
    file = tmp_path / "machineconfig.yaml"
    file.write_text(before.text.replace("machine:\n", "machine:\n  sysctls:\n    vm.max_map_count: \"1\"\n", 1))
    for mode, words in (("auto", "without a reboot"), ("staged", "after the next reboot"), ("reboot", "with a reboot")):
        answer = typed(bench, "apply-config", "-f", str(file), "--dry-run", "--mode", mode, nodes=[node])
        assert answer.returncode == 0, answer.stderr
        assert f"{words} (skipped in dry-run)" in answer.stderr and '+    vm.max_map_count: "1"' in answer.stderr
    assert bench.world.at(node.address).config == before
    file.write_text(before.text)
    assert "No changes." in typed(bench, "apply-config", "-f", str(file), "--dry-run", nodes=[node]).stderr


def test_etcds_leader_is_one_that_runs_and_its_ids_agree(bench: WireBench) -> None:
    first, second = (bench.world.at(node.address) for node in bench.house.control_planes[:2])
    ids = {member.hostname: member.member_id for member in bench.world.etcd.members(first)}
    told = {bench.world.etcd.status(machine).leader for machine in (first, second)}
    assert len(told) == 1 and told <= set(ids.values())
    kind = BY_TYPE["EtcdMembers.etcd.talos.dev"]
    for machine in (first, second):
        assert [each.spec for each in resources(bench.world, machine, kind)] == [{"memberID": f"{ids[machine.name]:016x}"}]


def test_what_the_real_etcd_says_of_itself_is_told(bench: WireBench) -> None:
    node = bench.house.bootstrap_node
    said = EtcdStatus(0xABC, 0xDEF, version="3.6.99", size=3 << 20, in_use=1 << 20, index=77, term=9, applied=76)
    bench.world.etcd.really_status = lambda machine: said
    try:
        answer = typed(bench, "etcd", "status", nodes=[node])
    finally:
        bench.world.etcd.really_status = None
    assert answer.returncode == 0, answer.stderr
    for words in ("0000000000000abc", "0000000000000def", "3.1 MB", "77", "9", "76", "3.6.99"):
        assert words in answer.stdout, words


def test_what_a_check_on_the_persons_side_asks_of_a_control_plane_is_there(bench: WireBench) -> None:
    machine = bench.world.at(bench.house.bootstrap_node.address)
    shown = {kind: list(resources(bench.world, machine, BY_TYPE[kind])) for kind in (
        "BootstrapManifestsConfigs.kubernetes.talos.dev", "KubeletConfigs.kubernetes.talos.dev", "MachineConfigs.config.talos.dev",
    )}  # fmt: skip
    manifests, kubelet, configs = shown.values()
    assert [each.name for each in manifests] == ["manifests"] and b"flannel" in manifests[0].proto
    assert [each.name for each in kubelet] == ["kubelet"]
    assert machine.config is not None and pb.NodenameSpec.FromString(configs[0].proto).nodename == machine.config.text


def test_what_talosctl_1_14_asks_of_static_pods_is_there(bench: WireBench) -> None:
    """Its check lists their configurations, and an error is its end; 1.13 took one for a pod that is not wanted."""
    pods = {"APIServer": "kube-apiserver", "ControllerManager": "kube-controller-manager", "Scheduler": "kube-scheduler"}
    for kind, name in pods.items():
        shown = ("-o", "jsonpath={.metadata.id} {.spec.image}")
        answer = typed(bench, "get", f"{kind}Configs", *shown, nodes=[bench.house.bootstrap_node])
        assert answer.stdout.split() == [name, f"registry.k8s.io/{name}:{bench.house.cluster.kubernetes_version}"], answer


@pytest.mark.parametrize("command", [
    "read /etc/os-release", "ls /", "copy /etc /tmp/none", "inspect dependencies", "image ls", "containers", "processes",
    "get links", "get timestatus", "get extensions", "wipe disk sda", "get nodestatus", "get kernelparams",
    "get pcidevices.hardware", "get sysctls", "get namespaces",
])  # fmt: skip
def test_what_the_lab_has_not_is_refused_by_its_name_and_not_as_absent_or_forbidden(bench: WireBench, command: str) -> None:
    answer = typed(bench, *command.split(), nodes=[bench.house.bootstrap_node])
    assert "not simulated by the lab" in answer.stderr, answer.stderr
    assert "no such file" not in answer.stderr and "PermissionDenied" not in answer.stderr


@pytest.mark.parametrize(("word", "told"), [
    ("ms", "machinestatuses.runtime.talos.dev"), ("ms", "memorystats.perf.talos.dev"), ("cpus", "is ambiguous"),
    ("rs", "is ambiguous"), ("mounts", "MountStatuses.runtime.talos.dev is not simulated"), ("rds.none", "is not registered"),
    ("nosuch", "is not registered"),
])  # fmt: skip
def test_a_word_is_as_clear_ambiguous_or_unknown_as_it_is_to_talos(bench: WireBench, word: str, told: str) -> None:
    answer = typed(bench, "get", word, nodes=[bench.house.bootstrap_node])
    assert answer.returncode == 1 and told in answer.stderr, answer.stderr


@pytest.mark.parametrize("word", ["vs", "em", "sd", "mc", "hostnamestatuses", "members.cluster", "SVC", "api-resources"])
def test_the_words_that_talos_makes_of_a_types_name_are_known(bench: WireBench, word: str) -> None:
    answer = typed(bench, "get", word, nodes=[bench.house.bootstrap_node])
    assert answer.returncode == 0, answer.stderr


def test_a_machine_tells_its_addresses(bench: WireBench) -> None:
    node = bench.house.bootstrap_node
    answer = typed(bench, "get", "addresses", nodes=[node])
    assert answer.returncode == 0 and f"{node.address}/24" in answer.stdout


def test_who_leaves_gracefully_is_off_the_real_etcds_list(bench: WireBench) -> None:
    """Last: one member is away afterwards."""
    second = bench.house.control_planes[1]
    removed: list[tuple[str, int]] = []
    bench.world.etcd.on_remove.append(lambda machine, member: removed.append((machine.name, member)))
    own = next(m.member_id for m in bench.world.etcd.members(bench.world.at(second.address)) if m.hostname == second.name)
    assert typed(bench, "reset", "--reboot", "--system-labels-to-wipe", "EPHEMERAL", "--wait=false", nodes=[second]).returncode == 0
    assert removed == [(second.name, own)]

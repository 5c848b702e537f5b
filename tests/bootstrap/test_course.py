"""What every step and check of a bootstrap owes a person: a title, a command to type instead, a hazard only where there is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.probe import Condition, missing, satisfied
from engine.step import Hazard, StepId
from house.declared.bootstrapping import with_flux_keys
from house.model import SecretRef
from tests.hands import is_a_command, see
from tests.scenario.running import Running


def test_the_order_of_the_course_is_an_order_of_the_graph(bare: Running) -> None:
    """A person reads the course from top to bottom: no step may stand above one that it needs."""
    course = bare.bootstrap
    graph, place = course.graph(), {each.id: at for at, each in enumerate(course.steps)}
    late = [
        (name, need)
        for name in place
        for need in graph.needs(name)
        if need in place and place[need] > place[name]
    ]  # fmt: skip
    assert late == []


def test_nothing_is_made_before_every_preflight_check_has_said_yes(bare: Running) -> None:
    graph = bare.bootstrap.graph()

    def above(name: StepId) -> set[StepId]:
        found: set[StepId] = set()
        todo = [name]
        while todo:
            for need in graph.needs(todo.pop()):
                if need not in found:
                    found.add(need)
                    todo.append(need)
        return found

    of_one = ("preflight.host/", "preflight.clock/", "preflight.room/", "preflight.kept-disks/", "preflight.backup")
    checks = {c.id for c in bare.bootstrap.checks if c.id.startswith("preflight.")}
    of_all = {name for name in checks if not name.startswith(of_one)}
    for each in bare.bootstrap.steps:
        assert of_all <= above(each.id), each.id


@pytest.mark.parametrize("node", ["cp-2", "w-1"])
def test_what_speaks_about_one_host_stands_before_its_own_vm_and_before_no_other(bare: Running, node: str) -> None:
    graph = bare.bootstrap.graph()
    host = bare.house.node(node).host
    mine = {f"preflight.{what}/{host}" for what in ("host", "clock", "room")} | {f"preflight.kept-disks/{node}"}
    assert mine <= set(graph.needs(StepId(f"proxmox.create-vm/{node}")))
    for other in bare.house.nodes:
        if other.name != node:
            assert not mine & set(graph.needs(StepId(f"proxmox.create-vm/{other.name}")))


def test_no_backup_stands_before_any_step(bare: Running) -> None:
    graph = bare.bootstrap.graph()
    assert not graph.stops_a_step(StepId("preflight.backup/apps/notes"))
    assert graph.stops_a_step(StepId("preflight.quorum"))


def test_every_step_can_be_done_by_hand(bare: Running) -> None:
    wrong = {each.id: each.by_hand() for each in bare.bootstrap.steps if not is_a_command(each.by_hand())}
    assert wrong == {}


def test_a_command_names_what_it_is_done_to(bare: Running) -> None:
    commands = {str(each.id): each.by_hand() for each in bare.bootstrap.steps}
    assert "8001" in commands["proxmox.create-vm/cp-1"]
    assert len(set(commands.values())) == len(commands), "two steps share one command"


def test_titles_are_short_and_each_is_one(bare: Running) -> None:
    titles = [each.title for each in bare.bootstrap.checks] + [each.title for each in bare.bootstrap.steps]
    assert len(set(titles)) == len(titles)
    assert all(0 < len(title) < 80 and not title.endswith(".") for title in titles)


def test_no_step_of_a_bootstrap_destroys_and_only_a_node_that_serves_is_disrupted(bare: Running) -> None:
    for each in bare.bootstrap.steps:
        assert each.hazard(missing("not there")) is Hazard.NONE, each.id
        assert each.identity(satisfied("")) is None, each.id


def test_inputs_change_with_the_house_and_not_by_themselves(bare: Running) -> None:
    first = {each.id: each.inputs for each in bare.bootstrap.steps}
    assert first == {each.id: each.inputs for each in bare.bootstrap.steps}
    told = {name for name, inputs in first.items() if inputs}
    silent = {"talos.render-configs", "hold.install", "flux.reconcile"}  # their probes compare all that they would do
    assert told == set(first) - silent


def test_a_house_with_a_deploy_key_puts_it_too(bare: Running) -> None:
    flux = replace(bare.house.flux, deploy_key=SecretRef(("file:/house/deploy.key",)))
    bare.house = replace(bare.house, flux=flux, secrets=with_flux_keys((), flux, bare.house.age_key, ()))
    assert "kubernetes.put-secret/deploy-key" in {each.id for each in bare.bootstrap.steps}


def test_no_look_of_a_bare_house_says_satisfied_of_what_is_not_there(bare: Running) -> None:
    for each in bare.bootstrap.steps:
        if each.id != "proxmox.lift-reservation":  # that there is none is what it wants
            assert see(bare, bare.bootstrap, each.id).condition is not Condition.SATISFIED, each.id

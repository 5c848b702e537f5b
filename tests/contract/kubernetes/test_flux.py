"""What every door of the Flux port must do about suspensions: ours carry a mark, and nobody else's is ever touched."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.flux.adapter import KubernetesFlux
from adapters.flux.results import SUSPENDED, KustomizationState
from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION, NAMESPACE
from adapters.ports import Flux
from engine.errors import PermanentError
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.builders import a_house
from tests.contract.apiserver import ApiServers, needed, program
from tests.scenario.running import Running

PLACE, NAME = "apps", "notes"


@dataclass
class Door:
    """A Flux port, and somebody else who suspends (True) or resumes (False) the Kustomization apps/notes."""

    flux: Flux
    by_hand: Callable[[bool], None]

    @property
    def seen(self) -> KustomizationState:
        """The Kustomization as the port tells it."""
        return next(k for k in self.flux.state().kustomizations if k.key == f"{PLACE}/{NAME}")

    @property
    def suspension(self) -> tuple[bool, bool]:
        """Suspended, and by us."""
        return self.seen.suspended, self.seen.ours


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """A real API server with Flux's own definitions, and the one Kustomization."""
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    kinds = (GIT_REPOSITORY, KUSTOMIZATION, HELM_RELEASE)
    define(made.main(), "source-controller", "kustomize-controller", "helm-controller", kinds=kinds)
    made.main().create(NAMESPACE, {"metadata": {"name": PLACE}})
    yield made
    made.close()


@pytest.fixture
def real(clients: Clients) -> Iterator[Door]:
    client = clients.main()
    spec = {"interval": "1h", "prune": True, "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}
    client.create(KUSTOMIZATION, {"metadata": {"name": NAME, "namespace": PLACE}, "spec": spec})

    def by_hand(on: bool) -> None:
        client.merge(KUSTOMIZATION, NAME, {"spec": {"suspend": on}}, PLACE)

    yield Door(KubernetesFlux(clients, a_house(), SystemClock()), by_hand)
    client.delete(KUSTOMIZATION, NAME, PLACE)


@pytest.fixture
def modelled(tmp_path: Path) -> Door:
    house = Running.bootstrapped(tmp_path)
    table = house.home.kube.objects().kustomizations

    def by_hand(on: bool) -> None:
        table[f"{PLACE}/{NAME}"] = replace(table[f"{PLACE}/{NAME}"], suspended=on)

    return Door(house.home.act("run").flux, by_hand)


@pytest.fixture(params=["modelled", pytest.param("real", marks=pytest.mark.programs)])
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.getfixturevalue(request.param)
    return found


def test_what_we_suspend_carries_our_mark_until_we_resume_it(door: Door) -> None:
    assert door.suspension == (False, False)
    for _ in range(2):
        door.flux.suspend(PLACE, NAME, on=True)
        assert door.suspension == (True, True)
    for _ in range(2):
        door.flux.suspend(PLACE, NAME, on=False)
        assert door.suspension == (False, False)


def test_what_somebody_else_suspended_stays_so_and_gets_no_mark(door: Door) -> None:
    door.by_hand(True)
    door.flux.suspend(PLACE, NAME, on=True)
    assert door.suspension == (True, False)
    door.flux.suspend(PLACE, NAME, on=False)
    assert door.suspension == (True, False)


def test_what_somebody_else_resumed_is_not_suspended_whoever_did_it(door: Door) -> None:
    door.flux.suspend(PLACE, NAME, on=True)
    door.by_hand(False)
    assert door.suspension == (False, False)
    door.flux.suspend(PLACE, NAME, on=False)
    door.by_hand(True)
    assert door.suspension == (True, False)


def test_one_that_is_not_there_is_an_error(door: Door) -> None:
    with pytest.raises(PermanentError, match="no Kustomization apps/other"):
        door.flux.suspend(PLACE, "other", on=True)


@pytest.mark.programs
def test_mark_and_suspension_come_and_go_in_one_patch(real: Door, clients: Clients) -> None:
    real.flux.suspend(PLACE, NAME, on=True)
    found = clients.main().get(KUSTOMIZATION, NAME, PLACE) or {}
    (ours,) = [entry for entry in found["metadata"]["managedFields"] if f"f:{SUSPENDED}" in str(entry)]
    assert "f:suspend" in str(ours)
    assert ours["manager"] == "blackstart"
    real.flux.suspend(PLACE, NAME, on=False)
    found = clients.main().get(KUSTOMIZATION, NAME, PLACE) or {}
    assert "suspend" not in found["spec"]
    assert SUSPENDED not in found["metadata"].get("annotations", {})
    with pytest.raises(ObjectAbsent):
        real.flux.suspend(PLACE, "other", on=False)


@pytest.mark.programs
def test_the_readme_s_commands_tell_ours_and_take_them_back(real: Door, clients: Clients, tmp_path: Path) -> None:
    needed("kubectl")
    readme = (Path(__file__).parents[3] / "README.md").read_text().split("## Get rid of Blackstart")[1]
    lines = [line for line in readme.splitlines() if "kustomizations.kustomize.toolkit.fluxcd.io" in line]
    listed, resumed = (line.replace("NAMESPACE", PLACE).replace(" NAME ", f" {NAME} ") for line in lines)
    client = clients.main()
    other = {"interval": "1h", "prune": True, "suspend": True, "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}
    client.create(KUSTOMIZATION, {"metadata": {"name": "theirs", "namespace": PLACE}, "spec": other})
    real.flux.suspend(PLACE, NAME, on=True)

    def typed(line: str) -> str:
        words = shlex.split(line)
        words[0] = str(program(words[0]))
        given = {"KUBECONFIG": str(clients.kubeconfig()), "HOME": str(tmp_path)}
        return subprocess.run(words, env=given, capture_output=True, text=True, check=True, timeout=60).stdout

    told = {row.split()[1]: row.split()[2] for row in typed(listed).splitlines()[1:]}
    assert told == {NAME: "true", "theirs": "<none>"}
    typed(resumed)
    client.delete(KUSTOMIZATION, "theirs", PLACE)
    assert real.suspension == (False, False)

"""Who can use what comes back: owners, groups, fsGroup, dropped powers, init containers; and what Git does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.volsync.results import FileEntry
from engine.errors import EXIT_OK
from engine.probe import Condition, Probe
from house.flux.rendered import Rendered, RenderedObject
from house.model import House
from recovery.compared.access import Left, as_left, denied
from recovery.compared.identities import User, users_of
from recovery.course import course
from tests.builders import a_claim, a_house
from tests.hands import see
from tests.recovery.conftest import Restoring

NAMESPACE = RenderedObject("v1", "Namespace", "", "apps", {"metadata": {"name": "apps"}}, "apps/notes", "ns.yaml", 1)
PRIVATE = FileEntry("db/app.db", "file", 9, 0o600, 1000, 1000)
SHARED = FileEntry("shared.txt", "file", 9, 0o640, 568, 100)
FOLDER = FileEntry("db", "dir", 0, 0o700, 1000, 1000)


def workload(pod: dict[str, Any] | None = None, own: dict[str, Any] | None = None, *, kind: str = "Deployment", **more: Any) -> Any:
    """A workload whose one container mounts the claim `notes`."""
    mounts = [{"name": "data", "mountPath": "/data"}]
    spec = {
        "securityContext": pod or {}, "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "notes"}}],
        "containers": [{"name": "app", "securityContext": own or {}, "volumeMounts": mounts}, {"name": "aside"}], **more,
    }  # fmt: skip
    return RenderedObject("apps/v1", kind, "apps", "notes", {"spec": {"template": {"spec": spec}}}, "apps/notes", "app.yaml", 1)


def release(**values: Any) -> RenderedObject:
    """The same of the app-template."""
    body = {"spec": {"chart": {"spec": {"chart": "app-template"}}, "values": values}}
    return RenderedObject("helm.toolkit.fluxcd.io/v2", "HelmRelease", "apps", "notes", body, "apps/notes", "hr.yaml", 1)


def house_of(*objects: RenderedObject) -> House:
    return a_house(rendered=Rendered((NAMESPACE, *objects)))


def users(*objects: RenderedObject) -> tuple[User, ...]:
    return users_of(house_of(*objects), a_claim())


@pytest.mark.parametrize(
    ("user", "unread", "unwritten"),
    [
        (User("a", 1000), ("shared.txt",), ()),
        (User("a", 568, frozenset({100})), ("db", "db/app.db"), ()),
        (User("a", 2000, frozenset({100})), ("db", "db/app.db"), ("shared.txt",)),
        (User("a", 2000, frozenset({100}), reads=True), ("db", "db/app.db"), ()),
        (User("a", 2000, frozenset({3000}), given=3000), (), ()),
        (User("a", 0, mighty=True), (), ()),
        (User("a", 0), ("db", "db/app.db", "shared.txt"), ()),
        (User("a", None), (), ()),
    ],
)
def test_owners_groups_and_powers_decide(user: User, unread: tuple[str, ...], unwritten: tuple[str, ...]) -> None:
    found = denied(user, (FOLDER, PRIVATE, SHARED))
    assert (found.unread, found.unwritten) == (unread, unwritten)


def test_what_nobody_may_write_and_the_filesystems_own_are_no_fault() -> None:
    sealed = FileEntry("sealed", "file", 1, 0o444, 0, 0)
    lost = FileEntry("lost+found", "dir", 0, 0o700, 0, 0)
    assert denied(User("a", 1000), (sealed, lost, replace(sealed, path="link", kind="symlink"))) == denied(User("a", 1000), ())


def test_a_mover_without_privileges_leaves_everything_its_own() -> None:
    left = as_left((PRIVATE, SHARED), Left(568, None))
    assert {entry.uid for entry in left} == {568}
    assert denied(User("a", 1000, frozenset({100, 1000})), left).unread == ("db/app.db", "shared.txt")
    assert as_left((PRIVATE,), None) == (PRIVATE,)


def test_the_containers_own_word_counts_before_the_pods() -> None:
    (user,) = users(workload({"runAsUser": 1000, "fsGroup": 2000, "supplementalGroups": [100]}, {"runAsUser": 568}))
    assert (user.uid, user.groups, user.given) == (568, {2000, 100}, 2000)
    (user,) = users(workload({"runAsUser": 1000, "fsGroup": 2000, "fsGroupChangePolicy": "OnRootMismatch"}))
    assert (user.given, user.groups) == (None, {2000})


def test_root_without_its_powers_is_a_user_like_others() -> None:
    dropped = {"capabilities": {"drop": ["ALL"]}}
    assert [one.mighty for one in users(workload({"runAsUser": 0}, dropped))] == [False]
    given = {"capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}}
    assert [one.mighty for one in users(workload({"runAsUser": 0}, given))] == [True]
    assert [one.mighty for one in users(workload({"runAsUser": 0}))] == [True]


def test_init_containers_and_every_kind_count_and_who_does_not_mount_it_does_not() -> None:
    setup = {"name": "setup", "securityContext": {"runAsUser": 5}, "volumeMounts": [{"name": "data", "readOnly": True}]}
    found = users(workload(initContainers=[setup], kind="StatefulSet"))
    assert [(one.who, one.reads) for one in found] == [
        ("StatefulSet notes, init container setup", True), ("StatefulSet notes, container app", False),
    ]  # fmt: skip
    assert users_of(house_of(workload()), a_claim("other")) == ()


def test_the_app_templates_values_say_it_too() -> None:
    claim = {"data": {"existingClaim": "notes"}, "tmp": {"type": "emptyDir"}}
    one = {"initContainers": {"own": {"securityContext": {"runAsUser": 0}}}, "containers": {"app": {}}}
    usual = {"securityContext": {"runAsUser": 568, "fsGroup": 568}}
    found = users(release(defaultPodOptions=usual, controllers={"main": one}, persistence=claim))
    assert [(one.who.partition(", ")[2], one.uid, one.given) for one in found] == [
        ("init container own", 0, 568), ("container app", 568, 568),
    ]  # fmt: skip
    own = {**one, "pod": {"securityContext": {"runAsUser": 3000}}}
    for strategy, given in (("overwrite", None), ("merge", 568)):
        told = {"defaultPodOptions": usual, "defaultPodOptionsStrategy": strategy, "controllers": {"main": own}}
        (_, app) = users(release(**told, persistence=claim))
        assert (app.uid, app.given) == (3000, given), "what a controller says itself stands in the place of what is usual"
    only = {"data": {"existingClaim": "notes", "advancedMounts": {"main": {"other": []}}}}
    assert users(release(controllers={"main": one}, persistence=only)) == ()


def usable(house: Restoring, *objects: RenderedObject) -> Probe:
    house.house = replace(house.house, rendered=Rendered(objects))
    return see(house, course(house.house, house.house.claims), "recovery.usable/apps/notes")


def test_it_is_said_before_the_application_starts(held: Restoring) -> None:
    assert usable(held, NAMESPACE, workload({"runAsUser": 1000})).condition is Condition.UNKNOWN, "nothing is chosen yet"
    held.up_to("pin")
    seen = usable(held, NAMESPACE, workload({"runAsUser": 2000}))
    assert seen.condition is Condition.MISSING
    assert seen.evidence[0].startswith("Deployment notes, container app (uid 2000) cannot write 2 paths: notes/one.md")
    assert usable(held, NAMESPACE, workload({"runAsUser": 1000})).condition is Condition.SATISFIED
    assert usable(held, NAMESPACE, workload()).condition is Condition.UNKNOWN
    whole = course(held.house, held.house.claims)
    before = next(step for step in whole.steps if step.id == "recovery.populate/apps/notes")
    assert "if-any:recovery.usable/apps/notes" in before.needs


def test_where_git_does_not_show_what_movers_may_it_is_not_known(held: Restoring) -> None:
    held.house = replace(held.house, claims=(replace(held.house.claims[0], uid=568, gid=568),))
    held.up_to("pin")
    assert usable(held, workload({"runAsUser": 1000})).condition is Condition.UNKNOWN, "its mover would leave it to 568, if it must"
    assert usable(held, NAMESPACE, workload({"runAsUser": 1000})).condition is Condition.MISSING
    metadata = {"metadata": {"annotations": {"volsync.backube/privileged-movers": "true"}}}
    assert usable(held, replace(NAMESPACE, body=metadata), workload({"runAsUser": 1000})).condition is Condition.SATISFIED


def test_a_warning_stops_no_restore(held: Restoring) -> None:
    held.house = replace(held.house, rendered=Rendered((NAMESPACE, workload({"runAsUser": 2000}))))
    assert held.apply(course(held.house, held.house.claims)).exit_code == EXIT_OK

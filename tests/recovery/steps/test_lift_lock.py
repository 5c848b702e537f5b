"""backup.unlock: one dead lock goes, by its name, and one whose owner shows himself in the meantime stays."""

from __future__ import annotations

import pytest

from adapters.backups.results import RepositoryLock
from adapters.kubernetes.results import SeenPod
from engine.errors import EXIT_OK, PermanentError
from engine.probe import Condition
from recovery.courses.unlocking import looked_at, unlock_course
from recovery.locks import WATCH_S
from tests.hands import Notebook, do, is_a_command, see, step
from tests.recovery.conftest import Restoring
from tests.recovery.test_locks import MOVER, a_lock

DEAD = "a" * 64
STEP = f"backup.unlock/apps/notes/{DEAD[:8]}"


def test_a_dead_lock_goes_and_what_kept_its_backup_out_goes_with_it(held: Restoring) -> None:
    locks = held.home.store.repositories[held.address].locks
    locks[DEAD] = a_lock(DEAD, held.clock.now() - 7200)
    course = unlock_course(held.house, looked_at(held.home.look(), held.house, held.house.claims[0]))
    assert see(held, held.restore, "preflight.backup/apps/notes").condition is Condition.MISSING
    assert held.apply(course, held.consent(course)).exit_code == EXIT_OK
    assert see(held, course, STEP).condition is Condition.SATISFIED
    assert see(held, held.restore, "preflight.backup/apps/notes").condition is Condition.SATISFIED


def test_an_owner_that_shows_himself_before_the_act_keeps_his_lock(held: Restoring) -> None:
    locks = held.home.store.repositories[held.address].locks
    locks[DEAD] = a_lock(DEAD, held.clock.now() - 7200)
    course = unlock_course(held.house, looked_at(held.home.look(), held.house, held.house.claims[0]))
    seen = see(held, course, STEP)
    held.home.kube.objects().pods[MOVER] = SeenPod("apps", MOVER, "cp-1")
    with pytest.raises(PermanentError, match="its owner may live"):
        step(course, STEP).apply(held.home.act("late"), seen, Notebook())
    assert DEAD in locks and see(held, course, STEP).condition is Condition.CHANGING
    del held.home.kube.objects().pods[MOVER], locks[DEAD]
    assert do(held, course, STEP).written == {}, "one that is gone already is not taken away again"


@pytest.mark.parametrize("lives", [True, False])
def test_where_the_store_tells_no_time_who_lives_shows_himself_while_his_lock_is_watched(held: Restoring, lives: bool) -> None:
    """This machine's clock is an hour ahead: what is renewed every five minutes looks as if it had not been for an hour."""
    locks, clock = held.home.store.repositories[held.address].locks, held.clock
    locks[DEAD] = a_lock(DEAD, clock.now() - 3600, host="desk", timed=False)
    course = unlock_course(held.house, looked_at(held.home.look(), held.house, held.house.claims[0]))
    seen = see(held, course, STEP)

    def renewed() -> None:
        locks["e" * 64] = a_lock("e" * 64, clock.now() - 3600, host="desk", timed=False)
        del locks[DEAD]

    if lives:
        held.home.kube.world.after(240.0, "its owner renews it", renewed)
    began = clock.monotonic()
    step(course, STEP).apply(held.home.act("late"), seen, Notebook())
    assert set(locks) == ({"e" * 64} if lives else set())
    assert (clock.monotonic() - began >= WATCH_S) is not lives


def test_by_hand_it_is_one_command_and_takes_what_cannot_be_read_too(held: Restoring) -> None:
    locks = held.home.store.repositories[held.address].locks
    locks[DEAD] = RepositoryLock(DEAD, 0.0, "", garbage=True, written=held.clock.now() - 7200)
    course = unlock_course(held.house, looked_at(held.home.look(), held.house, held.house.claims[0]))
    typed = step(course, STEP).by_hand()
    assert is_a_command(typed) and "--remove-all" in typed, "without it restic leaves a lock that it cannot read"

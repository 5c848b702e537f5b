"""Every refusal of the two verbs that could end a cluster, by name: the list is held against the tables that play each of them.

tests/scenario/loss/test_recover_refusals.py and test_replace_refusals.py arrange the house, and look that nothing was changed.
"""

from __future__ import annotations

from tests.scenario.loss import test_recover_refusals, test_replace_refusals

RECOVER, REPLACE = "cluster.recover-etcd", "cluster.replace-node"
LEAST = 20
NAMED = {
    RECOVER: {
        "no snapshot, a disk", "no snapshot, no disk", "one may come back", "all may come back", "one runs and is silent",
        "a majority in the dark", "not there", "changed", "cut off", "empty", "another cluster's", "nobody's", "older than needed",
        "newer on a disk", "a torn copy",
    },
    REPLACE: {
        "no majority", "its majority", "all off", "only one", "no etcd", "a worker without etcd", "host off", "no room", "silent",
        "broken", "another's", "joining", "stranger", "locked", "moved", "devices", "kept", "one disk more", "lives by its kubelet",
    },
}  # fmt: skip


def test_every_refusal_is_played_and_there_are_enough() -> None:
    played = {
        RECOVER: {one.what: one.sentence for one in test_recover_refusals.REFUSALS},
        REPLACE: {one.name: one.sentence for one in test_replace_refusals.REFUSALS},
    }
    assert {verb: set(named) for verb, named in played.items()} == NAMED
    sentences = {sentence for named in played.values() for sentence in named.values()}
    assert len(sentences) >= LEAST, "some refusals are told alike"
    assert all(len(sentence.split()) > 2 for sentence in sentences), "a word is no sentence"

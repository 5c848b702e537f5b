"""Which differences between the two counts a line of the product names: by the whole name, and nothing by no name."""

from __future__ import annotations

from tests.houses.__main__ import untold

TOLD = ["1 backup not audited (kopiur)", "not seen: kubernetes/apps/notes/ks.yaml:3: apps/notes-2: is not there"]


def test_a_difference_is_told_where_a_line_has_its_whole_name() -> None:
    same, path = "restic apps notes-2 (only there)", "apps/x, kubernetes/apps/notes (refused there)"
    other, nodes = "restic apps note (only there)", "3 nodes here, there {'talos/talconfig.yaml': 2}"
    assert untold([same, path, other, nodes], TOLD) == [other, nodes]
    assert untold([same], []) == [same]

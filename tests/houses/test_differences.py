"""Which differences between the two counts a line of the product names: by the whole name, and nothing by no name."""

from __future__ import annotations

from pathlib import Path

from tests.houses.__main__ import nodes_differ, untold
from tests.houses.counting import nodes_of

TOLD = ["1 backup not audited (kopiur)", "not seen: kubernetes/apps/notes/ks.yaml:3: apps/notes-2: is not there"]


def test_a_difference_is_told_where_a_line_has_its_whole_name() -> None:
    same, path = "restic apps notes-2 (only there)", "apps/x, kubernetes/apps/notes (refused there)"
    other, nodes = "restic apps note (only there)", "3 nodes here, there {'talos/talconfig.yaml': 2}"
    assert untold([same, path, other, nodes], TOLD) == [other, nodes]
    assert untold([same], []) == [same]


def test_nodes_of_a_talconfig_that_is_put_away_count_for_nobody_and_one_with_variables_does(tmp_path: Path) -> None:
    nodes = "nodes:\n  - {hostname: '${NAME}-1', ipAddress: '${NET}1', x: &x 1, x: &x 2}\n"
    for name in ("archive/talos", ".archive/talos", "_archive", "talos"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "talconfig.yaml").write_text(nodes)
    assert nodes_of(tmp_path) == {"talos/talconfig.yaml": 1}
    assert nodes_differ(1, nodes_of(tmp_path)) == nodes_differ(0, {}) == nodes_differ(0, {"a": 1, "b": 2}, told=True) == []
    several = {"a": 1, "b": 2}
    assert nodes_differ(0, nodes_of(tmp_path), told=True) and nodes_differ(0, several) and nodes_differ(3, several, told=True)

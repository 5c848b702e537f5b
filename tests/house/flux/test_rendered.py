"""What Flux applies, object by object: in its namespace, with its variables, and where it is written."""

from __future__ import annotations

from pathlib import Path

from house.flux.objects import Applying, read_objects
from tests.house.reading import read_repository
from tests.house.small_house import write_repository


def test_an_object_carries_its_place_its_kustomization_and_its_variables(tmp_path: Path) -> None:
    write_repository(tmp_path)
    rendered = read_repository(tmp_path).rendered
    [claim] = rendered.of_kind("", "PersistentVolumeClaim")
    assert (claim.namespace, claim.name, claim.kustomization) == ("apps", "notes-data", "apps/notes")
    assert claim.declared_in == "kubernetes/components/volsync/claim.yaml:1"
    assert claim.spec["dataSourceRef"]["name"] == "notes-data-bootstrap"


class Asked(dict[str, bytes]):
    """Files of a build that count how often each is asked for."""

    times = 0

    def get(self, key: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        self.times += 1
        return super().get(key, default)


def test_a_file_of_many_objects_is_read_once_for_the_lines_of_all(tmp_path: Path) -> None:
    """An operator's manifest has a hundred of them in a megabyte: read for each, such a house took half a minute."""
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{0}\n"
    origin = "  annotations:\n    config.kubernetes.io/origin: |\n      path: all.yaml\n"
    written = "---\n".join(one.format(number) for number in range(30))
    built = "---\n".join(one.format(number) + origin for number in range(30))
    files = Asked({"apps/all.yaml": written.encode()})
    applying = Applying("apps/all", "apps", "apps", {}, substitutes=False, labels={}, annotations={})
    objects = read_objects(built, applying, files).objects
    assert [found.declared_in for found in objects] == [f"apps/all.yaml:{1 + 5 * number}" for number in range(30)]
    assert files.times == 1

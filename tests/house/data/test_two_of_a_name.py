"""Of two things that hold data and have one name, the backup or the reason of one is none of the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.data.joining import declared_data
from house.data.nouns import DeclaredData
from house.values.databases import Database
from tests.house.data.test_data import PG, rendered
from tests.house.data.test_paused import RESTIC, source
from tests.house.reading import load, write_settings
from tests.house.small_house import SETTINGS, write_repository

CLAIM = "kind: PersistentVolumeClaim\nmetadata: {name: NAME}\nspec: {resources: {requests: {storage: 5Gi}}}"
STATEFUL = """kind: StatefulSet
metadata: {name: web}
spec: {replicas: 2, volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 9Gi}}}}]}"""
MOUNTED = """kind: KIND
metadata: {name: plex}
spec: {template: {spec: {volumes: [{name: media, nfs: {server: nas, path: PATH}}]}}}"""
ON_NODE = "{hostPath: {path: /mnt/media}, name: media}"
VOLUME = "kind: PersistentVolume\nmetadata: {name: films}\nspec: {nfs: {server: nas, path: /films}}"
DEPLOYMENT = MOUNTED.replace("KIND", "Deployment").replace("PATH", "/tank")
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: plex}
spec: {chart: {spec: {chart: app-template}}, values: {persistence: {media: {type: nfs, server: nas, path: /tank}}}}"""
ARCHIVED = Database("tools", "pg", "flux/app", archives=True, recovers=True, declared_in="a:1")
ALONE = Database("tools", "pg", "flux/app", archives=False, recovers=False, declared_in="a:1")


def claim(name: str) -> str:
    return CLAIM.replace("NAME", name)


def saved(name: str) -> str:
    return source("s", RESTIC.replace("films", name))


def bare(data: DeclaredData) -> list[tuple[str, str]]:
    return [(one.holder.key, one.holder.keeps.value) for one in data.unprotected]


@pytest.mark.parametrize(
    ("texts", "database", "found"),
    [
        ((claim("pg"), saved("pg"), PG), ALONE, [("tools/pg", "database")]),
        ((PG, claim("pg"), saved("pg")), ALONE, [("tools/pg", "database")]),
        ((claim("pg"), PG), ARCHIVED, [("tools/pg", "claim")]),
        ((claim("pg"), PG), ALONE, [("tools/pg", "claim"), ("tools/pg", "database")]),
        ((claim("plex-media"), saved("plex-media"), DEPLOYMENT), None, [("tools/plex-media", "NFS mount")]),
        ((claim("plex-media"), saved("plex-media"), RELEASE), None, [("tools/plex-media", "NFS mount")]),
        ((claim("plex-media"), DEPLOYMENT), None, [("tools/plex-media", "claim"), ("tools/plex-media", "NFS mount")]),
        ((DEPLOYMENT, MOUNTED.replace("KIND", "DaemonSet").replace("PATH", "/other")), None,
         [("tools/plex-media", "NFS mount")] * 2),
        ((DEPLOYMENT, RELEASE), None, [("tools/plex-media", "NFS mount")]),
        ((claim("data-web"), saved("data-web"), STATEFUL), None, [("tools/data-web", "claims of a StatefulSet")]),
        ((claim("data-web"), STATEFUL), None, [("tools/data-web", "claim"), ("tools/data-web", "claims of a StatefulSet")]),
        ((claim("data-web"), STATEFUL, saved("data-web-0"), saved("data-web-1")), None, [("tools/data-web", "claim")]),
        ((claim("data-web-1"), STATEFUL, saved("data-web-0")), None, [("tools/data-web-1", "claim")]),
    ],
)  # fmt: skip
def test_each_needs_a_backup_of_its_own_kind(
    texts: tuple[str, ...], database: Database | None, found: list[tuple[str, str]]
) -> None:
    data = declared_data(rendered(*texts), (), (database,) if database is not None else (), {})
    assert sorted(bare(data)) == sorted(found)


def test_an_audited_claim_or_a_paused_one_says_nothing_of_a_database() -> None:
    assert bare(declared_data(rendered(claim("pg"), PG), ("tools/pg",), (ALONE,), {})) == [("tools/pg", "database")]
    paused = source("s", "sourcePVC: pg, restic: {repository: s}, paused: true")
    data = declared_data(rendered(claim("pg"), PG, paused), (), (ALONE,), {"tools/pg (database)": "made anew"})
    assert [(one.holder.keeps.value, one.reason) for one in data.unprotected] == [("database", "made anew")]
    assert [one.reason for one in data.paused] == [""]


def test_a_reason_of_a_name_that_is_two_things_accepts_neither_and_of_one_that_is_one_does() -> None:
    both = rendered(claim("pg"), PG)
    assert [one.reason for one in declared_data(both, (), (ALONE,), {"tools/pg": "made anew"}).unprotected] == ["", ""]
    said = {"tools/pg (claim)": "a cache", "tools/pg (database)": "made anew"}
    assert [one.reason for one in declared_data(both, (), (ALONE,), said).unprotected] == ["a cache", "made anew"]
    alone = declared_data(rendered(PG), (), (ALONE,), {"tools/pg": "made anew"})
    assert [(one.reason, one.said_as) for one in alone.unprotected] == [("made anew", "tools/pg")]
    mounts = rendered(DEPLOYMENT, MOUNTED.replace("KIND", "DaemonSet").replace("PATH", "/other"))
    said = {"tools/plex-media (nas:/other)": "bought on discs"}
    assert [one.reason for one in declared_data(mounts, (), (), said).unprotected] == ["", "bought on discs"]


TWO = "kind: PersistentVolumeClaim\napiVersion: v1\nmetadata: {name: films}\nspec: {}\n---\n"
TWO += "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: films}\nspec: {storage: {size: 2Gi}}\n"


def with_two(root: Path, more: str) -> Path:
    settings = write_repository(root, SETTINGS.replace("  claims:\n", f"{more}  claims:\n"))
    (root / "kubernetes/apps/apps/odd/app/two.yaml").write_text(TWO)
    return settings


def test_settings_that_do_not_say_which_of_two_are_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(with_two(tmp_path, "  unprotected: {odd/films: bought on discs}\n"))
    (line,) = refused.value.evidence
    assert line.endswith(
        "backups.unprotected.odd/films: is 2 things without a backup; write which, as in "
        '"odd/films (claim)" or "odd/films (database)"'
    )
    said = '  unprotected: {"odd/films (claim)": on discs, "odd/films (database)": made anew}\n'
    assert [one.reason for one in load(with_two(tmp_path, said)).data.unprotected] == ["on discs", "made anew"]
    with pytest.raises(SettingsInvalid) as refused:
        load(with_two(tmp_path, '  unprotected: {"odd/films (databse)": made anew}\n'))
    assert 'the nearest known one is odd/films (database)' in str(refused.value.evidence)


def test_first_settings_name_each_of_two_so_that_it_can_be_said(tmp_path: Path) -> None:
    with_two(tmp_path, "").unlink()
    text = write_settings(tmp_path).file.read_text()
    for kind in ("claim", "database"):
        assert f'  #   "odd/films ({kind})": REASON  # {kind}' in text

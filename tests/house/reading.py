"""Reads repositories for tests with the real kustomize; without kubectl, a test that needs one is skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.kustomize.adapter import Kubectl
from house import loader
from house.first import writing as init
from house.first.writing import Written
from house.flux.building import Builder
from house.loader import Part
from house.model import House
from house.repository import whole as repository
from house.repository.whole import Repository
from tools.errors import ProgramMissing
from tools.locate import need

KEPT = Path(__file__).resolve().parents[2] / ".pytest_cache" / "flux"


def _kubectl() -> Path:
    try:
        return need("kubectl")
    except ProgramMissing as error:
        pytest.skip(f"a repository is built with kubectl: {error}")


BUILDER = Builder(Kubectl(_kubectl), KEPT)


def load(settings_file: Path, part: Part = Part.ALL) -> House:
    """house.loader.load"""
    return loader.load(settings_file, BUILDER, part)


def read_repository(root: Path, entry: str = "") -> Repository:
    """house.repository.whole.read_repository"""
    return repository.read_repository(root, BUILDER, entry)


def write_settings(root: Path, house_id: Callable[[], str] = lambda: "5f1d7c2a9e", entry: str = "") -> Written:
    """house.first.writing.write_settings"""
    return init.write_settings(root, BUILDER, house_id, entry=entry)

"""What looks and what changes is read off the Protocols; a look that changes something is refused at run time."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.context import ActContext, LookContext
from adapters.surface import MutationRefused, read_only, surfaces


def test_looks_and_mutations_are_told_apart_and_both_are_known() -> None:
    known = surfaces()
    assert "create_vm" in known["proxmox"].mutations and "vms" in known["proxmox"].looks
    assert all(not one.looks & one.mutations for one in known.values())
    reading = {one.name for one in known.values() if not one.mutations}
    assert reading == {
        "backups", "clone", "factory", "manifests", "archives", "nas", "csi", "components", "inventory", "dns", "vault",
        "registries",
    }  # fmt: skip
    assert set(known) == {field.name for field in fields(LookContext)} - {"clock"}


def test_a_look_context_refuses_every_mutation_at_run_time() -> None:
    called: list[str] = []
    doors: dict[str, Any] = {
        name: SimpleNamespace(**{m: lambda m=m, *args: called.append(m) for m in known.looks | known.mutations})
        for name, known in surfaces().items()
    }
    look = read_only(ActContext(**{"run": "r", "clock": SimpleNamespace(), **doors}))
    for name, known in surfaces().items():
        port = getattr(look, name)
        for method in known.mutations | {"no_such_method"}:
            with pytest.raises(MutationRefused):
                getattr(port, method)
        for method in known.looks:
            getattr(port, method)()
    assert len(called) == sum(len(known.looks) for known in surfaces().values())

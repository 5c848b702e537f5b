"""New Talos secrets for a house that has none: checks, and the one step that a person must approve."""

from __future__ import annotations

from bootstrap import checks
from bootstrap.steps import make_secrets
from cluster.course import Course
from house.model import House


def course(house: House) -> Course:
    """The checks, then the step. A bootstrap never makes secrets: it needs them in Git, where Flux's commit is checked."""
    return Course(
        checks=(
            checks.privileges.check(house),    # Proxmox answers, and shows the VMs
            checks.quorum.check(house),        # all of them
            checks.age_key.check(house),       # what is made can be opened again
            checks.unconfigured.check(house),  # no node runs that would be locked out
        ),
        steps=tuple(make_secrets.steps(house)),
    )

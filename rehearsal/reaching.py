"""What a machine that knows nothing of a living cluster does before it can drill there. It changes that machine's files alone."""

from __future__ import annotations

from bootstrap.steps.fetch_kubeconfig import FetchKubeconfig
from bootstrap.steps.render_configs import RenderConfigs
from cluster.course import Course
from house.model import House


def reaching(house: House) -> Course:
    """The kubeconfig of a cluster that lives, out of repository and keys alone. No check of a bootstrap stands before it, for
    nothing is made in the house, and none of etcd's, for a cluster that lives has one."""
    return Course(checks=(), steps=(RenderConfigs(house, needs=()), FetchKubeconfig(house, needs=(RenderConfigs.id,))))

"""Hand-made values for tests: the lab's sample house and its parts, under short names. Knows no port."""

from __future__ import annotations

from lab.modelled.sample import GIB, ROOT, sample_app, sample_claim, sample_house, sample_node, sample_release

a_node = sample_node
a_claim = sample_claim
a_release = sample_release
an_app = sample_app
a_house = sample_house

__all__ = ["GIB", "ROOT", "a_claim", "a_house", "a_node", "a_release", "an_app"]

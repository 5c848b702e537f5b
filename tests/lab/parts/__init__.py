"""Tests of the parts of a cluster; one with VolSync is started once for all of them."""

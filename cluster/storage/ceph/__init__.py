"""Ceph: what its own words mean for whoever is about to restore onto it."""

"""Registries of container images: whether an image can be had, and how many more pulls one allows."""

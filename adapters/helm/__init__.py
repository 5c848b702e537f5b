"""Helm releases: result types and the adapter on helmfile and helm."""

"""Flux: result types, the adapter, and the root cause of a stuck graph."""

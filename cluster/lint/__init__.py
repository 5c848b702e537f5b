"""The cold-start lint: what a rebuild needs, who provides it, and what of that is only there while the cluster is."""

"""Whether etcd can do without a node, come back from a snapshot, and was saved."""

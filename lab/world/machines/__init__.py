"""The simulated Talos machines, and the etcd on them. Knows no protocol."""

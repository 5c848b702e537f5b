"""The control plane of a cluster of the lab: real programs, their certificates and the address before them."""

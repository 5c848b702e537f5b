"""Every system of a house, the fault that is armed for it, and the one row of `cluster.verify` that must turn red."""

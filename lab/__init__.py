"""A simulated house: world (state, clock, faults), ports (in-process doors), wire (servers), parts (real programs)."""

"""Whether nodes are who they should be, run what they should, and can be told what to be."""

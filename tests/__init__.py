"""The tests: they mirror the tree of the packages they check."""

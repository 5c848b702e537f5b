"""The systems that a house runs in its cluster: one short file each, with one shape, and a row for what has none."""

"""Home-ops repositories of every shape, each held against an independent count of what it declares."""

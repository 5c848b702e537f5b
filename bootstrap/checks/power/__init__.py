"""What goes off with hosts and nodes, and whether storage bears it and is whole afterwards."""

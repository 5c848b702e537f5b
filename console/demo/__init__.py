"""The demo: the whole job in a simulated house, told act by act, with a table at the end. Exit code 0 only if all held."""

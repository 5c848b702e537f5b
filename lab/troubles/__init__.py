"""What can be wrong with a house, by name: a trouble does what its cause would do."""

"""The lab's sample houses: their shape, their addresses, and the folder with everything that a run in them needs."""

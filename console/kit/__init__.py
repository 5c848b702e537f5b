"""The kit: all that a rebuild needs beside the machines and the keys, in one file that several people can open."""

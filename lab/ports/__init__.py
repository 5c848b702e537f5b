"""In-process doors to the World: each implements one port of adapters/ports.py. No programs, no network."""

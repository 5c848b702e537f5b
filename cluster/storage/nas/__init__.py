"""What a look at a NAS means: its pools, datasets and exports, and what it does to keep them. Asks nobody but the port."""

"""What a run is made of, one layer below the executor: how it opens, who may start, a step's life, who writes and who tells."""

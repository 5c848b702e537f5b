"""How steps run: step, graph, plan, journal, executor, waiting, events. Knows nothing of any house; standard library only."""

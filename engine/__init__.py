"""How steps run: step, graph, plan, journal, executor, waiting, events, errors. Knows nothing of any house; standard library only."""

"""kopia: repositories of kopia, read by kopia itself, without a write to them and without a trace on this machine."""

"""How a run is shown while it goes on, and how any text fits where it is read. Decides nothing."""

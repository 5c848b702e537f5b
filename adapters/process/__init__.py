"""Programs: one single-threaded keeper process starts, watches and ends all of them."""

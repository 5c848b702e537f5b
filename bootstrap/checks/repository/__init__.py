"""Whether Git, the keys beside it, and what releases are made of are at hand before the first VM."""

"""Objects that are written into an API server of the lab, where nothing runs that would write them."""

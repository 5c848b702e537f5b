"""Items of 1Password's cloud, by op: which there are and what their fields are called. No value is kept."""

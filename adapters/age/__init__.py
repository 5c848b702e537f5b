"""Files that only named people can open: age."""

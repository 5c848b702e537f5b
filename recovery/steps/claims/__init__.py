"""A claim restored beside the living one, proven, and put in its place; its application stopped and started."""

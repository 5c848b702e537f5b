"""How a file of the house is read: YAML with its lines, paths, names, texts, and one wrong thing told where it stands."""

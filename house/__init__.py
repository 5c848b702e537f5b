"""What the user owns, as data: settings, loader, YAML reading, catalog, reader of an existing home-ops repository."""

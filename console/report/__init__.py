"""The evidence of a run: one folder with a document, pages for people, metrics, a chain and a signature."""

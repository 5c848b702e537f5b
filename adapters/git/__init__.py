"""The clone of the home-ops repository: result types and the adapter on git."""

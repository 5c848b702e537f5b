"""The modelled house: everything behind in-process doors, on any clock."""

"""In-process doors to what is none of the house: Git, names, registries, the factory of images, a vault."""

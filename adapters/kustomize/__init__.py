"""kustomize, as kubectl brings it: builds a folder. Changes nothing, asks nobody."""

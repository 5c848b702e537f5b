"""What Git declares, as Flux reads it: every Kustomization built, substituted, and followed to its children."""

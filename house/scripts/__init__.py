"""What a repository's own bootstrap scripts put into the cluster besides helmfile, read as text: nothing is run."""

from house.scripts.reading import Scripted, read_scripts

__all__ = ["Scripted", "read_scripts"]

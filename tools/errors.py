"""What can be wrong with the programs, said in one sentence. Knows nothing of how a caller shows it."""

from __future__ import annotations


class ToolError(Exception):
    """Base of this package's answers: `what` is one sentence, `hint` what usually helps, `next_command` what to type next."""

    def __init__(
        self, what: str, *, evidence: tuple[str, ...] = (), hint: str = "", next_command: str = "invoke tools.build"
    ) -> None:
        super().__init__(what)
        self.what = what
        self.evidence = evidence
        self.hint = hint
        self.next_command = next_command


class ProgramMissing(ToolError):
    """A program is not there, does not fit, or does not tell its version."""


class BuildRefused(ToolError):
    """Nothing was built: Go or git is missing or too old."""


class BuildFailed(ToolError):
    """At least one program could not be built; what was built before is kept."""


class DefinitionsMissing(ToolError):
    """The custom resource definitions of a program could not be read from the Go module cache."""

"""Our own errors, each with what a person needs: what, evidence, hint, next command. Knows no library's exceptions.

Adapters translate every foreign error into TransientError or PermanentError; only classes of this module are outcomes of a
step, anything else is a bug of ours (exit code 70). Interrupted alone is no BlackstartError: who takes errors for answers, and
goes on, must not go on after a stop.
"""

from __future__ import annotations

from typing import ClassVar, Self

from engine.secrets import all_told, told


class OurError(Exception):
    """Base of all that is raised on purpose: answers, and the stop of a run. For outermost frames, which end with either.

    `what` is one sentence; `evidence` holds lines that were seen (redacted, never secret); `hint` says what usually helps;
    `next_command` is what to type next. `exit_code` is what the process ends with when this error ends it.
    """

    exit_code: ClassVar[int] = 30

    def __init__(self, what: str, *, evidence: tuple[str, ...] = (), hint: str = "", next_command: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.evidence = evidence
        self.hint = hint
        self.next_command = next_command

    def as_told(self) -> Self:
        """This very error, all its texts as a person is told them: without secrets and control characters."""
        self.what, self.hint, self.next_command = told(self.what), told(self.hint), told(self.next_command)
        self.evidence = all_told(self.evidence)
        self.args = (self.what,)
        return self


class BlackstartError(OurError):
    """Base of all errors that are answers, not bugs."""


class TransientError(BlackstartError):
    """The world could not be reached or was busy: looking again later may help."""


class PermanentError(BlackstartError):
    """The world answered, and the answer is no: trying again without a change will not help."""


class SettingsInvalid(BlackstartError):
    """blackstart.yaml or the repository it points to cannot be used as it is."""

    exit_code = 10


class JournalBusy(BlackstartError):
    """Another run holds the journal's lock, on this machine or (by Lease) on another."""

    exit_code = 11


class JournalDamaged(BlackstartError):
    """The journal cannot be trusted: damaged, of another lineage, or of a newer schema."""

    exit_code = 12


class PreflightRefused(BlackstartError):
    """A blocking check said no before anything was changed."""

    exit_code = 20


class ApprovalMissing(BlackstartError):
    """The plan holds an act that needs the person's consent, and none that fits was given."""

    exit_code = 21


class GraphInvalid(BlackstartError):
    """The steps do not make a graph: an id twice, an unknown need, a cycle. A mistake in a course, so a bug of ours."""

    exit_code = 70


class EvidenceChanged(BlackstartError):
    """Evidence is not what was signed: a byte of it differs, or a part is missing or was put in."""

    exit_code = 3


class JournalUnwritable(JournalDamaged):
    """A line could not be written or synced: what follows it must not be done, and the run stops."""


class DiskRefused(BlackstartError):
    """A file of this machine could not be written or read. Says nothing of what an act did to the house before that."""


class CouldNotLook(BlackstartError):
    """Nothing could be seen for as long as the step allows. Not the same as: it is not there."""


class StillChanging(BlackstartError):
    """Something or somebody was at it for as long as the step allows."""


class NotReady(BlackstartError):
    """The act was accepted, and the world did not come to agree in time."""


class GuardRefused(BlackstartError):
    """The guard check of a system said that nothing in it may be disturbed now."""


class WaitedTooLong(TransientError):
    """A wait inside an act or a look reached its limit; what was waited for may still come."""


class Interrupted(OurError):
    """The run was told to stop while this was waiting. No answer to anything: it passes every `except BlackstartError`."""

    exit_code = 130


EXIT_OK = 0
EXIT_PLAN_HAS_CHANGES = 2
EXIT_DRIFT = 3
EXIT_REHEARSAL_FAIL = 4
EXIT_REHEARSAL_UNVERIFIED = 5
EXIT_HELD = 6
EXIT_STEP_FAILED = 30
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

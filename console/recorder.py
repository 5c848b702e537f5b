"""What a session keeps of its run as evidence: moments while it goes on, and at its end the document and the folder.

It is begun before the run: a folder that cannot take the evidence is refused before anything is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster.course import HouseGraph
from console.kit.nouns import FromKit
from console.report.moments import Moments
from engine.errors import BlackstartError
from engine.report import Report
from engine.secrets import redact
from house.files.paths import at_home
from house.model import House
from rehearsal.outcome import DrillOutcome

RUN_MARK = "{run}"
"""In the name of the folder: the run's id, so that each of a schedule's runs has a folder of its own."""


@dataclass(frozen=True)
class Recorded:
    """What became of the evidence: troubles in words, a sentence for the screen, fields of the last JSON line."""

    troubles: tuple[str, ...] = ()
    told: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


class Recorder:
    """For one verb of one house. `began` is in seconds since the epoch, `report` the folder, "" for none."""

    def __init__(self, house: House, verb: str, run: str, began: float, report: str) -> None:
        self.moments = Moments()
        self._house = house
        self._verb = verb
        self._run = run
        self._began = began
        self._graph: HouseGraph | None = None
        self.folder = at_home(Path(report.replace(RUN_MARK, run))) if report else None

    def of(self, graph: HouseGraph) -> None:
        """The run of this graph begins now. Raises SettingsInvalid where its evidence could not be written."""
        if self.folder is not None:
            from console.report.folder import refuse_taken

            refuse_taken(self.folder)
        self._graph = graph

    def record(
        self, report: Report, now: float, code: int, drill: DrillOutcome | None = None, kit: FromKit | None = None
    ) -> Recorded:  # fmt: skip
        """The run has ended like this, the verb ends with `code`; `drill` is what a rehearsal came to, `kit` what it knew."""
        folder = self._house.state_dir / "runs" / self._run
        if self._graph is None or (self.folder is None and not folder.is_dir()):
            return Recorded()
        from console.report.document import Ran
        from console.report.writing import document_of, keep_document, write_evidence

        ran = Ran(self._house, self._verb, self._run, self._began, now, self._graph, report, self.moments, code, drill, kit=kit)
        document, lost = document_of(ran, journalled=folder.is_dir())
        kept = folder.is_dir()  # a look alone has none
        troubles = [lost, keep_document(self._house, self._run, document) if kept else ""]
        kept = kept and not troubles[-1]
        told, fields = "", {}
        if self.folder is not None:
            try:
                signer = write_evidence(self._house, document, self.folder)
                told = f"Evidence: {self.folder}, signed by {signer}"
                fields = {"report": str(self.folder), "signer": signer}
            except BlackstartError as error:
                again = f"invoke dr.report --run {self._run} --report FOLDER writes it yet" if kept else "it is kept nowhere else"
                troubles.append(redact("; ".join(filter(None, (error.what, *error.evidence, error.hint, again)))))
        return Recorded(tuple(filter(None, troubles)), told, fields)

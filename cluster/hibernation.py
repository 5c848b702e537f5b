"""What the steps have in common that have a database of CloudNativePG hibernate with its house, and wake with it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.step import BaseStep
from house.model import House
from house.values.databases import Database


@dataclass(frozen=True)
class HibernationStep(BaseStep):
    """A step of one database that Git declares; id, title, probe and apply are the step's own."""

    house: House
    database: Database
    needs: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        return f"database/{self.database.key}"

    @property
    def inputs(self) -> str:
        return self.database.key

    @property
    def ready_s(self) -> float:
        return self.house.limits.release_s

    def by_annotation(self, word: str) -> str:
        """What a person would type to have it hibernate (`on`), or run again (`off`)."""
        cluster = f"kubectl -n {self.database.namespace} annotate cluster.postgresql.cnpg.io {self.database.name}"
        return f"{cluster} --overwrite cnpg.io/hibernation={word}"

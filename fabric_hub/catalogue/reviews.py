"""When stewards last looked at datasets and grants, as kept."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from fabric_hub.datasets.model import Grant
from fabric_hub.datasets.stewardship import Reviewed
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files as texts
from fabric_hub.sessions.database import Transaction

from . import rows
from .database import CATALOGUE, reading
from .tables import counter, grants, reviews


class ReviewStore:
    """Read and write reviews; safe to use from several threads.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> tuple[Reviewed, ...]:
        """All of them, by dataset and project."""
        query = sa.select(reviews).order_by(reviews.c.dataset, reviews.c.project)
        with reading(self._engine) as connection:
            found = connection.execute(query).mappings().all()
        return tuple(Reviewed.model_validate({**row, "project": row["project"] or None}) for row in found)

    def grant(self, dataset: str, project: str) -> Grant | None:
        """A project's grant of a dataset, also one that has ended."""
        query = sa.select(grants).where(grants.c.dataset == dataset, grants.c.project == project)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return Grant.model_validate(dict(row)) if row else None

    def put(self, review: Reviewed, record: Callable[[], object]) -> None:
        """Put down that somebody has looked; a project has a grant, or there is nothing to look at.

        :param record: is called before the change is final.
        :raises FabricError: (404) there is no such dataset or grant.
        """
        project = review.project or ""
        with Transaction(self._engine, CATALOGUE) as connection:
            # writers go one at a time; the serial stays: no node is told of a review
            connection.execute(sa.update(counter).values(serial=counter.c.serial))
            rows.dataset(connection, review.dataset)
            mine = (grants.c.dataset == review.dataset, grants.c.project == project)
            if project and connection.execute(sa.select(grants.c.at).where(*mine)).first() is None:
                raise FabricError(texts.NOT_GRANTED(project=project, dataset=review.dataset))
            old = (reviews.c.dataset == review.dataset, reviews.c.project == project)
            connection.execute(sa.delete(reviews).where(*old))
            connection.execute(sa.insert(reviews).values(**{**review.model_dump(), "project": project}))
            record()

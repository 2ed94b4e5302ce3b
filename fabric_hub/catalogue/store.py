"""The catalogue as kept: what the catalogue service serves and what ``fabric-hub datasets`` changes.

Each call is one short transaction. Every change raises the serial, first, in the same transaction: a reader that finds
the same serial before and after its questions has seen one state. ``record`` is called before a change is made
final: when it fails (the audit log cannot be written), nothing was changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date

import sqlalchemy as sa

from fabric_hub.datasets.model import (
    Acceptance,
    AccessRequest,
    Catalogue,
    Dataset,
    Declined,
    Grant,
    HeldGrant,
    Version,
)
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as backup_texts
from fabric_hub.messages.texts import dataset_files as texts
from fabric_hub.messages.texts import stewards as steward_texts
from fabric_hub.sessions.database import Transaction

from . import rows, tables
from .database import CATALOGUE, reading
from .leases.store import LeaseStore
from .project_store import ProjectStore
from .restored import Restored, Revocation

# Longer than a job may run (model.JobSpec.minutes has a year; sessions have days): revocations that end jobs.
_ENDED_FOR_S = 60 * 24 * 3600
# On record with a grant that a restore shut and that is not confirmed.
NOT_CONFIRMED = "the steward did not confirm what a restore had shut"


Record = Callable[[], object]


class _NothingNewError(Exception):
    """Leaves a change that changes nothing: its transaction is undone, the serial stays."""


class CatalogueStore:
    """Read and write the catalogue; safe to use from several threads.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = self._engine = engine
        self.projects = ProjectStore(engine)
        self.leases = LeaseStore(engine)

    def close(self) -> None:
        self._engine.dispose()

    # -- reading

    def serial(self) -> int:
        """Grows with every change."""
        with reading(self._engine) as connection:
            return rows.serial(connection)

    def catalogue(self, today: date | None = None) -> Catalogue:
        """All that the hub may know: what was ever published, grants in force, acceptances, open requests.

        Acceptances of earlier agreements are among them: a page can say that the terms changed since.

        :param today: grants that ended before it are left out; default: this day, local time.
        """
        today = today or date.today()  # noqa: DTZ011 - a grant's last day is a day of this site
        while True:
            with reading(self._engine) as connection:
                before = rows.serial(connection)
                datasets = tuple(rows.published(entry) for entry in rows.datasets(connection) if entry.published_at)
                found = Catalogue(
                    serial=before,
                    now=time.time(),
                    datasets=datasets,
                    grants=tuple(grant for grant in rows.grants(connection) if not grant.until or grant.until >= today),
                    acceptances=tuple(rows.all_of(connection, tables.acceptances, Acceptance)),
                    requests=tuple(rows.all_of(connection, tables.requests, AccessRequest)),
                    held=tuple(rows.all_of(connection, tables.held_grants, HeldGrant)),
                    declined=tuple(rows.all_of(connection, tables.declined, Declined)),
                )
                if rows.serial(connection) == before:
                    return found

    def datasets(self) -> tuple[Dataset, ...]:
        """Every entry by name, drafts and retired ones too."""
        with reading(self._engine) as connection:
            return tuple(rows.datasets(connection))

    def dataset(self, name: str) -> Dataset:
        """One entry, also a draft.

        :raises FabricError: (404) there is none of this name.
        """
        with reading(self._engine) as connection:
            return rows.dataset(connection, name)

    def grants(self) -> tuple[Grant, ...]:
        """Every grant, also those whose last day has passed."""
        with reading(self._engine) as connection:
            return tuple(rows.grants(connection))

    def requests(self) -> tuple[AccessRequest, ...]:
        """Open requests, oldest first."""
        with reading(self._engine) as connection:
            return tuple(
                sorted(rows.all_of(connection, tables.requests, AccessRequest), key=lambda request: request.at)
            )

    def held(self) -> tuple[HeldGrant, ...]:
        """Grants that a restore shut, and that nobody has confirmed yet."""
        with reading(self._engine) as connection:
            return tuple(rows.all_of(connection, tables.held_grants, HeldGrant))

    def ended(self) -> tuple[Revocation, ...]:
        """Revocations of the last 60 days whose sessions end too."""
        with reading(self._engine) as connection:
            found = rows.all_of(connection, tables.revocations, Revocation)
            return tuple(one for one in found if one.at > time.time() - _ENDED_FOR_S)

    def agreement_text(self, dataset: str, version: str) -> str | None:
        """The text of any agreement that was ever in force, also of an earlier version."""
        table = tables.agreements
        with reading(self._engine) as connection:
            text: str | None = connection.execute(
                sa.select(table.c.text).where(table.c.dataset == dataset, table.c.version == version)
            ).scalar()
            return text

    # -- the entries

    def put(self, entry: Dataset, record: Record | None = None, *, draft: bool = False) -> bool:
        """Make a draft, or replace the description of an entry; versions and dates stay. False: it said that already.

        :param draft: only a draft (409).
        :raises FabricError: a published entry would become incomplete, or an agreement's text would change under
            the same version.
        """
        table = tables.datasets
        description = entry.model_dump(mode="json", exclude=set(rows.KEPT))
        with self._changing(record) as connection:
            old = connection.execute(sa.select(table).where(table.c.name == entry.name)).mappings().first()
            if old is None:
                values = {"name": entry.name, "entry": description, "created_at": time.time()}
                connection.execute(sa.insert(table).values(**values))
                return True
            if draft and old["published_at"]:
                raise FabricError(steward_texts.NO_DRAFT(dataset=entry.name))
            if rows.description(old["entry"]) == rows.description(description):
                raise _NothingNewError
            if old["published_at"]:
                rows.require_complete(entry)
                rows.keep_agreement(connection, entry)
            connection.execute(sa.update(table).where(table.c.name == entry.name).values(entry=description))
            return True
        return False

    def add_version(self, dataset: str, version: Version, record: Record | None = None) -> bool:
        """Record a version, which never changes again. False: it was there with the same content.

        :raises FabricError: (404) no such dataset; (409) the version exists with other content.
        """
        with self._changing(record) as connection:
            old = next(
                (one for one in rows.dataset(connection, dataset).versions if one.version == version.version), None
            )
            if old:
                rows.refuse_other_content(dataset, old, version.kind, version.sha256, version.path)
                raise _NothingNewError
            values = {"dataset": dataset, **version.model_dump()}
            connection.execute(sa.insert(tables.versions).values(**values))
            return True
        return False

    def publish(self, name: str, version: str | None = None, record: Record | None = None) -> Version | None:
        """Publish a version (default: the newest that is not retired), which becomes the latest. None: it was already.

        :raises FabricError: (404) no such dataset or version; (409) the entry is incomplete: every field it lacks.
        """
        now = time.time()
        with self._changing(record) as connection:
            dataset = rows.dataset(connection, name)
            rows.require_complete(dataset, version_too=True)
            chosen = rows.version(dataset, version)
            offered = chosen.published_at and not chosen.retired_at and not dataset.retired_at
            if offered and dataset.latest == chosen.version:
                raise _NothingNewError
            rows.keep_agreement(connection, dataset)
            dates = {"published_at": chosen.published_at or now, "retired_at": None}
            rows.update_version(connection, name, chosen.version, dates)
            dates["published_at"] = dataset.published_at or now
            table = tables.datasets
            connection.execute(sa.update(table).where(table.c.name == name).values(**dates, latest=chosen.version))
            return chosen
        return None

    def retire(self, name: str, version: str | None = None, record: Record | None = None) -> bool:
        """Take a version, or the whole dataset, out of use; what is on record stays. False: it was already.

        :raises FabricError: (404) no such dataset or version.
        """
        now, table = time.time(), tables.datasets
        with self._changing(record) as connection:
            dataset = rows.dataset(connection, name)
            if version is None:
                if dataset.retired_at:
                    raise _NothingNewError
                connection.execute(sa.update(table).where(table.c.name == name).values(retired_at=now))
                return True
            if rows.version(dataset, version).retired_at:
                raise _NothingNewError
            rows.update_version(connection, name, version, {"retired_at": now})
            left = [
                one for one in dataset.versions if one.published_at and not one.retired_at and one.version != version
            ]
            newest = max(left, key=lambda one: one.published_at or 0.0, default=None)
            if dataset.latest == version:
                latest = newest.version if newest else None
                connection.execute(sa.update(table).where(table.c.name == name).values(latest=latest))
            return True
        return False

    # -- who may use them

    def grant(self, grant: Grant, record: Record | None = None) -> bool:
        """Let a project use a dataset, or change until when; its requests are answered by it. False: nothing new.

        :raises FabricError: (404) no such dataset.
        """
        grant = grant.model_copy(update={"at": grant.at or time.time()})
        table = tables.grants
        mine = (table.c.dataset == grant.dataset, table.c.project == grant.project)
        with self._changing(record) as connection:
            rows.dataset(connection, grant.dataset)
            asked = rows.forget_requests(connection, grant.dataset, grant.project)
            rows.forget_held(connection, grant.dataset, grant.project)
            rows.forget_declined(connection, grant.dataset, grant.project)
            old = connection.execute(sa.select(table).where(*mine)).mappings().first()
            if old is None:
                connection.execute(sa.insert(table).values(**grant.model_dump()))
            elif old["until"] != grant.until:
                connection.execute(sa.update(table).where(*mine).values(**grant.model_dump()))
            elif not asked:
                raise _NothingNewError
            return True
        return False

    def revoke(self, dataset: str, project: str, *, strict: bool = False, record: Record | None = None) -> Grant:
        """Take a grant away; returns it.

        :param strict: the project's jobs that have the dataset open end too (:meth:`ended`).
        :raises FabricError: (404) there is no such dataset or grant.
        """
        table, ends = tables.grants, tables.revocations
        with self._changing(record) as connection:
            rows.dataset(connection, dataset)
            mine = (table.c.dataset == dataset, table.c.project == project)
            old = connection.execute(sa.select(table).where(*mine)).mappings().first()
            if old is None:
                raise FabricError(texts.NOT_GRANTED(project=project, dataset=dataset))
            connection.execute(sa.delete(table).where(*mine))
            if strict:
                connection.execute(sa.delete(ends).where(ends.c.dataset == dataset, ends.c.project == project))
                connection.execute(sa.insert(ends).values(dataset=dataset, project=project, at=time.time()))
        return Grant.model_validate(dict(old))

    def confirm(self, dataset: str, project: str, record: Callable[[Grant], object] | None = None) -> Grant:
        """Bring a grant that a restore shut back into force; returns it.

        :param record: is given the grant, whose last day belongs on record too.
        :raises FabricError: (404) none of this dataset and project is shut so.
        """
        with self._changing(None) as connection:
            held = rows.forget_held(connection, dataset, project)
            if held is None:
                raise FabricError(backup_texts.NO_SUCH_HELD(dataset=dataset, project=project))
            grant = Grant.model_validate(held.model_dump(exclude={"held_at"}))
            connection.execute(sa.insert(tables.grants).values(**grant.model_dump()))
            rows.forget_requests(connection, dataset, project)
            if record:
                record(grant)
        return grant

    def dismiss(self, dataset: str, project: str, record: Record | None = None) -> None:
        """Drop a grant that a restore shut.

        :raises FabricError: (404) none of this dataset and project is shut so.
        """
        with self._changing(record) as connection:
            if rows.forget_held(connection, dataset, project) is None:
                raise FabricError(backup_texts.NO_SUCH_HELD(dataset=dataset, project=project))

    def restored(self, change: Restored) -> None:
        """Bring a catalogue that came from a backup up to what newer sources say, in one change.

        No serial that was published before comes again.
        """
        datasets, counter = tables.datasets, tables.counter
        with self._changing(None) as connection:
            if change.serial >= rows.serial(connection):
                connection.execute(sa.update(counter).values(serial=change.serial + 1))
                connection.execute(sa.update(tables.projects).values(serial=change.serial + 1))
            known = set(connection.execute(sa.select(datasets.c.name)).scalars())
            connection.execute(sa.delete(tables.grants))
            connection.execute(sa.delete(tables.held_grants))
            for grant in (one for one in change.grants if one.dataset in known):
                connection.execute(sa.insert(tables.grants).values(**grant.model_dump()))
            for grant in (one for one in change.held if one.dataset in known):
                connection.execute(sa.insert(tables.held_grants).values(**grant.model_dump(), held_at=change.at))
            for name in change.retired:
                connection.execute(sa.update(datasets).where(datasets.c.name == name).values(retired_at=change.at))
            for acceptance in (one for one in change.accepted if one.dataset in known):
                rows.replace(connection, tables.acceptances, acceptance)
            for end in (one for one in change.ends if one.dataset in known):
                rows.replace(connection, tables.revocations, end)

    def accept(self, acceptance: Acceptance, record: Record | None = None) -> bool:
        """Record that a user accepted the current agreement for a purpose. False: it was on record already.

        That the user is a member of the project is the caller's to know.

        :raises FabricError: (404) no such dataset; (409) not the current agreement; (422) not one of its purposes.
        """
        acceptance = acceptance.model_copy(update={"at": acceptance.at or time.time()})
        table = tables.acceptances
        key = ("user", "project", "dataset", "agreement")
        mine = [table.c[column] == getattr(acceptance, column) for column in key]
        with self._changing(record) as connection:
            dataset = rows.in_use(connection, acceptance.dataset)
            rows.check_acceptance(dataset, acceptance)
            old = connection.execute(sa.select(table.c.purpose).where(*mine)).scalar()
            if old == acceptance.purpose:
                raise _NothingNewError
            connection.execute(sa.delete(table).where(*mine))
            connection.execute(sa.insert(table).values(**acceptance.model_dump()))
            return True
        return False

    def request(self, request: AccessRequest, record: Record | None = None) -> bool:
        """Record that a user asks for a dataset for a project. False: the same request is open already.

        :raises FabricError: (404) no such dataset.
        """
        request = request.model_copy(update={"at": request.at or time.time()})
        table = tables.requests
        mine = [table.c[column] == getattr(request, column) for column in ("user", "project", "dataset")]
        with self._changing(record) as connection:
            rows.in_use(connection, request.dataset)
            old = connection.execute(sa.select(table.c.why).where(*mine)).first()
            if old and old[0] == request.why:
                raise _NothingNewError
            connection.execute(sa.delete(table).where(*mine))
            rows.forget_declined(connection, request.dataset, request.project, request.user)
            connection.execute(sa.insert(table).values(**request.model_dump()))
            return True
        return False

    def decline(
        self, dataset: str, project: str, record: Record | None = None, why: str | None = None
    ) -> tuple[AccessRequest, ...]:
        """Close a project's requests for a dataset without a grant; returns them.

        :param why: for those who asked.
        """
        with self._changing(record) as connection:
            found = rows.forget_requests(connection, dataset, project)
            if not found:
                raise _NothingNewError
            for one in found:
                said = Declined(user=one.user, project=project, dataset=dataset, why=why, at=time.time())
                rows.forget_declined(connection, dataset, project, one.user)
                connection.execute(sa.insert(tables.declined).values(**said.model_dump()))
            return found
        return ()

    # -- connections

    @contextmanager
    def _changing(self, record: Record | None) -> Iterator[sa.Connection]:
        with suppress(_NothingNewError), Transaction(self._engine, CATALOGUE) as connection:
            connection.execute(sa.update(tables.counter).values(serial=tables.counter.c.serial + 1))
            yield connection
            if record:
                record()

"""What an operator does with the catalogue, as its account: the change, its record, and word to the nodes.

A change is recorded in the audit log before it is final, and published to the nodes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from fabric_hub.catalogue.audit.log import AuditLog, Entry, audit_directory
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import AccessRequest, Dataset, Grant, Version
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files as texts
from fabric_hub.messages.texts import project_changes as projects
from fabric_hub.projects.changes import Change

from . import for_operator, publish, rows
from .people.store import PeopleStore
from .project_edits import EVENTS, people_in, people_of, with_hub_names
from .project_policy import Asker
from .store import NOT_CONFIRMED, CatalogueStore


class CatalogueAdmin:
    """The catalogue in the hands of an operator.

    :param by: who gives the commands, for the record.
    """

    def __init__(self, settings: Settings, store: CatalogueStore, by: str) -> None:
        assert settings.catalogue is not None
        self.store = store
        self._of_file = settings
        self.by = by
        self._audit_log = AuditLog(audit_directory(settings.catalogue), PeopleStore(store.engine).numbers)

    def add(self, entry: Dataset, *, new: bool = False) -> bool:
        """Make a draft, or replace an entry's description. False: it said that already.

        :param new: refuse (409) a name that the catalogue has.
        """
        if new and entry.name in {one.name for one in self.store.datasets()}:
            raise FabricError(texts.EXISTS(dataset=entry.name))
        agreement = entry.agreement.version if entry.agreement else None
        done = self.store.put(entry, self._record("described", dataset=entry.name, agreement=agreement))
        self.tell()
        return done

    def version(self, name: str, version: Version) -> bool:
        """Record a version that was packed or linked. False: it was there with the same content."""
        event = "packed" if version.kind == "image" else "linked"
        return self.store.add_version(name, version, self._record(event, **_of(name, version)))

    def publish(self, name: str, version: str | None = None) -> Version | None:
        """Publish a version (default: the newest). None: it was already."""
        dataset = self.store.dataset(name)
        chosen = rows.version(dataset, version) if version or dataset.versions else None
        agreement = dataset.agreement.version if dataset.agreement else None
        record = self._record("published", **(_of(name, chosen) if chosen else {}), agreement=agreement)
        done = self.store.publish(name, chosen.version if chosen else None, record)
        self.tell()
        return done

    def retire(self, name: str, version: str | None = None) -> bool:
        """Take a version, or the whole dataset, out of use. False: it was already."""
        chosen = _of(name, rows.version(self.store.dataset(name), version)) if version else {"dataset": name}
        done = self.store.retire(name, version, self._record("retired", **chosen))
        self.tell()
        return done

    def grant(self, name: str, project: str, until: date | None = None) -> bool:
        """Let a project use a dataset. False: it might already, as long."""
        if project not in self._settings.project:
            known = tuple(sorted(self._settings.project))
            raise FabricError(
                texts.NO_SUCH_PROJECT(project=project, projects=known)
                if known
                else texts.NO_PROJECT_AT_ALL(project=project)
            )
        if until is not None and until < date.today():  # noqa: DTZ011 - a day of this site
            raise FabricError(texts.OVER_ALREADY(until=str(until)))
        grant = Grant(dataset=name, project=project, until=until, by=self.by)
        record = self._record("granted", dataset=name, until=until, **self._of_project(project))
        done = self.store.grant(grant, record)
        self.tell()
        return done

    def revoke(self, name: str, project: str, *, strict: bool = False) -> Grant:
        """Take a grant away; ``strict`` also ends the jobs that have the dataset open."""
        why = "strict: jobs that have it open end" if strict else None
        record = self._record("revoked", dataset=name, why=why, **self._of_project(project))
        revoked = self.store.revoke(name, project, strict=strict, record=record)
        self.tell()
        return revoked

    def confirm(self, name: str, project: str) -> Grant:
        """Bring a grant that a restore shut back into force."""

        self._audit_log.meet(Entry(event="confirmed", by=self.by, **self._of_project(project)))

        def record(grant: Grant) -> None:
            self._record("confirmed", dataset=name, until=grant.until, **self._of_project(project))()

        confirmed = self.store.confirm(name, project, record)
        self.tell()
        return confirmed

    def dismiss(self, name: str, project: str) -> None:
        """Drop a grant that a restore shut."""
        record = self._record("revoked", dataset=name, why=NOT_CONFIRMED, **self._of_project(project))
        self.store.dismiss(name, project, record)
        self.tell()

    def decline(self, name: str, project: str, why: str | None = None) -> tuple[AccessRequest, ...]:
        """Close a project's requests for a dataset without a grant; returns them.

        :param why: one line for who asked.
        """
        record = self._record("declined", dataset=name, why=why, **self._of_project(project))
        return self.store.decline(name, project, record, why=why)

    def verified(self, name: str, version: Version, difference: str) -> None:
        """Put on record that a version was read again, and what was found."""
        event = "damaged" if difference else "verified"
        why = "".join(letter if letter.isprintable() else " " for letter in difference)[:300] or None
        self._record(event, why=why, **_of(name, version))()

    def change_project(self, change: Change) -> bool:
        """Change a project that the catalogue service keeps. False: it stood so already."""
        changed = with_hub_names(change, keep_case=self._of_file.login.keep_case)
        asker = Asker(self.by, operator=True, from_hub=False)
        self._audit_log.meet(Entry(event=EVENTS[changed.do], by=self.by, responsible=people_in(changed)))
        done = self.store.projects.change(self._of_file, changed, asker, self.append)
        self.tell()
        return done

    def import_project(self, name: str) -> None:
        """Keep a project of the site's file from now on; until it is removed there, the file's wins."""
        known = tuple(sorted(self._of_file.project))
        if name not in known:
            told = projects.NOT_IN_FILE(project=name, projects=known) if known else projects.NONE_IN_FILE()
            raise FabricError(told)
        project = self._of_file.project[name]
        people = tuple(sorted({user for user, _ in people_of(project)}))
        self._audit_log.meet(Entry(event=EVENTS["create"], by=self.by, responsible=people))
        self.store.projects.take_over(name, project, self.by, self.append)
        self.tell()

    def tell(self) -> None:
        """Tell all how things stand. Also after no change: the last one's word may not have reached them."""
        assert self._of_file.catalogue is not None
        publish.publish_projects(self._of_file.catalogue, self.store.projects)
        publish.publish(self._of_file, self.store)

    def append(self, entries: tuple[Entry, ...]) -> None:
        """Put entries in the audit log."""
        self._audit_log.append(*entries)

    def meet(self, user: str) -> None:
        """Know by number who gives the command, and whom it is about, before a change is begun."""
        self._audit_log.meet(Entry(event="met", user=user, by=self.by))

    @property
    def _settings(self) -> Settings:
        return self.store.projects.over(self._of_file)

    def _record(self, event: str, **fields: Any) -> Callable[[], object]:
        entry = Entry(event=event, by=self.by, **fields)
        self._audit_log.meet(entry)
        return lambda: self._audit_log.append(entry)

    def _of_project(self, name: str) -> dict[str, Any]:
        project = self._settings.project.get(name)
        if project is None:
            return {"project": name}
        return {"project": name, "account": project.account, "responsible": project.members.owner}


def _of(name: str, version: Version) -> dict[str, Any]:
    return {"dataset": name, "version": version.version, "sha256": version.sha256}


@contextmanager
def opened(settings: Settings) -> Iterator[CatalogueAdmin]:
    """The catalogue for an operator. The process is the catalogue service's account from here on.

    :raises FabricError: this process may not be that account; the database cannot be opened.
    """
    with for_operator.opened(settings) as (engine, by):
        yield CatalogueAdmin(settings, CatalogueStore(engine), by)

"""A hub with datasets: a small site, its catalogue service, and five datasets in the catalogue."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from fabric_hub.catalogue.audit.log import audit_directory, files, named
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.restored import Restored
from fabric_hub.datasets.model import Agreement, Dataset, Grant, Version

from .catalogue_thread import CatalogueThread, settings_of
from .person import Person
from .small_site import SmallSite

ENTRY: dict[str, Any] = {
    "description": "Values of every ten minutes.",
    "publisher": {"name": "Example Energy"},
    "creator": {"name": "Example Energy"},
    "contact": {"name": "Data desk", "email": "data@energy.example"},
    "licence": "https://creativecommons.org/licenses/by/4.0/",
    "themes": ["ENER"],
    "personal_data": "none",
    "provenance": "Logged by the machines.",
    "retention": "Ten years.",
    "purposes": [{"name": "research", "text": "Scientific research"}, {"name": "teaching", "text": "Teaching"}],
}
AGREEMENT = {"version": "1", "text": "Do no harm."}


class DatasetHub:
    """See the module. ``with`` starts catalogue service and hub, and closes them at the end.

    ``twin`` is everybody's project, ``closed-shop`` nobody's but its own. ``curator``, the steward of ``river`` and
    ``lake``, is in none.

    :param directory: one that is not there yet, with a short path.
    :param from_hub: what operators may widen at the hub (``catalogue.from_hub``).
    :param changes: sections of the site's file that differ, as for :class:`SmallSite`.
    """

    def __init__(self, directory: Path, from_hub: Sequence[str] = (), **changes: dict[str, Any]) -> None:
        directory.mkdir()
        catalogue = {
            **settings_of(directory),
            "stewards": {"river": ["curator"], "lake": ["curator"]},
            "from_hub": list(from_hub),
        }
        self.site = SmallSite(directory / "site", datasets=catalogue, **changes)
        self.catalogue_service = CatalogueThread(directory / "site" / "site.toml", self.site.settings)
        self.publish("weather", access="public")
        self.publish("wind-farm", access="restricted", agreement=AGREEMENT, project="twin")
        self.publish("solar-park", access="restricted", agreement=AGREEMENT, project="twin")
        self.publish("grid", access="restricted", agreement=AGREEMENT, project="closed-shop")
        self.publish("trial", access="non-public", agreement=AGREEMENT, project="closed-shop")

    def __enter__(self) -> Self:
        try:
            self.catalogue_service.up()
            self.site.up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, name: str, *, project: str | None = None, **fields: Any) -> None:
        self.catalogue_service.store.put(
            Dataset.model_validate({**ENTRY, "name": name, "title": f"The {name}", **fields})
        )
        self.catalogue_service.store.add_version(
            name,
            Version(
                version="1", kind="image", path=f"/srv/{name}.sqfs", sha256="a" * 64, bytes=2_500_000, files=3,
                created_at=1.0,
            ),
        )  # fmt: skip
        self.catalogue_service.store.publish(name)
        if project:
            self.grant(name, project)

    def grant(self, name: str, project: str) -> None:
        self.catalogue_service.store.grant(Grant(dataset=name, project=project))

    def held(self, name: str) -> set[str]:
        """The projects whose grant of a dataset a restore shut, and that wait for its steward."""
        return {one.project for one in self.catalogue_service.store.held() if one.dataset == name}

    def shut(self, name: str, project: str) -> None:
        """As a restore shuts a grant that only its backup knows."""
        store = self.catalogue_service.store
        held = tuple(one for one in store.grants() if (one.dataset, one.project) == (name, project))
        assert held
        grants = tuple(one for one in store.grants() if one not in held)
        before = tuple(Grant.model_validate(one.model_dump(exclude={"held_at"})) for one in store.held())
        store.restored(Restored(serial=store.serial(), at=time.time(), grants=grants, held=(*before, *held)))

    def new_agreement(self, name: str, version: str) -> None:
        entry = self.catalogue_service.store.dataset(name)
        self.catalogue_service.store.put(
            entry.model_copy(update={"agreement": Agreement(version=version, text="Be kind.")})
        )

    def purposes(self, person: Person) -> list[tuple[str, str, str]]:
        """What a person accepted: dataset, version, purpose."""
        return [
            (one.dataset, one.agreement, one.purpose)
            for one in self.catalogue_service.catalogue().acceptances
            if one.user == person.name
        ]

    def audit_log(self, person: Person) -> list[tuple[str, str, str | None]]:
        """What the audit log says of a person: event, dataset, why."""
        assert self.site.settings.catalogue
        records = [
            json.loads(line)
            for file in files(audit_directory(self.site.settings.catalogue))
            for line in file.read_text().splitlines()
        ]
        names = PeopleStore(self.catalogue_service.store.engine).names()
        told = [one for one in records if named(one, names).get("user") == person.name]
        return [(one["event"], one["dataset"], one.get("why")) for one in told]

    def close(self) -> None:
        self.catalogue_service.close()
        self.site.close()


def ticked(name: str, version: str = "1", purpose: str = "research") -> dict[str, Any]:
    """The same as the form's fields."""
    return {"datasets": name, f"accept-{name}": version, f"purpose-{name}": purpose}

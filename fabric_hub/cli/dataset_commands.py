"""What the commands of ``fabric-hub datasets`` do: each takes the site and its arguments, and returns the exit status.

What a command reads as its caller (a file, a directory) it reads before the process becomes the catalogue service's
account.
"""

from __future__ import annotations

import argparse
import json

from fabric_hub.catalogue import admin, files, switch_user
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.pack import versions as pack
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.completeness import missing
from fabric_hub.datasets.model import Dataset, Version
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as backup_texts

from .dataset_listing import of_dataset, of_grant, of_request, of_version, state_of, table

# -- descriptions and versions


def describe(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make a draft from a description, or replace a description."""
    entry = files.load(arguments.file)
    with admin.opened(settings) as at:
        done = at.add(entry)
        dataset = at.store.dataset(entry.name)
    print(f"{'Recorded' if done else 'Nothing new in'} the description of {entry.name} ({state_of(dataset)}).")
    if lacks := missing(dataset):
        print("Before it can be published it needs:\n" + "\n".join(f"  {line}" for line in lacks))
    if not dataset.versions:
        print(f"Next: fabric-hub datasets pack {entry.name} VERSION DIR")
    return 0


def _look(settings: Settings, name: str) -> Dataset:
    """An entry as it is, read as the catalogue service; the process stays its caller."""
    assert settings.catalogue is not None
    with switch_user.for_a_moment(switch_user.catalogue_account(settings.catalogue)):
        store = CatalogueStore(open_catalogue(settings.catalogue))
        try:
            return store.dataset(name)
        finally:
            store.close()


def pack_image(settings: Settings, arguments: argparse.Namespace) -> int:
    """Pack a directory into an image, and record it as a version."""
    if arguments.linked:
        return link_directory(settings, arguments)
    assert settings.catalogue is not None
    _look(settings, arguments.name)
    made = pack.pack(
        settings.catalogue,
        arguments.name,
        arguments.version,
        arguments.directory,
        compression=arguments.compression,
        say=_say,
    )
    return _keep(settings, arguments.name, made)


def link_directory(settings: Settings, arguments: argparse.Namespace) -> int:
    """Record a directory where it stands as a version."""
    assert settings.catalogue is not None
    _look(settings, arguments.name)
    made = pack.link(settings.catalogue, arguments.version, arguments.directory, say=_say)
    return _keep(settings, arguments.name, made)


def _keep(settings: Settings, name: str, made: Version) -> int:
    try:
        with admin.opened(settings) as at:
            new = at.version(name, made)
            known = at.store.dataset(name)
    except FabricError as error:
        if error.reason == "version-exists":
            pack.discard(made)
        raise
    print("\n".join(of_version(made)))
    if not new:
        print(f"The dataset {name} had this version already, with the same content.")
    elif not next(one for one in known.versions if one.version == made.version).published_at:
        print(f"Next: fabric-hub datasets publish {name} {made.version}")
    return 0


def offer(settings: Settings, arguments: argparse.Namespace) -> int:
    """Offer a version."""
    with admin.opened(settings) as at:
        done = at.publish(arguments.name, arguments.version)
        latest = at.store.dataset(arguments.name).latest
    print(f"{'Published' if done else 'Already published'}: {arguments.name}, latest version {latest}.")
    return 0


def retire(settings: Settings, arguments: argparse.Namespace) -> int:
    """Take a version, or a dataset, out of use."""
    with admin.opened(settings) as at:
        done = at.retire(arguments.name, arguments.version)
        latest = at.store.dataset(arguments.name).latest
    what = f"version {arguments.version} of {arguments.name}" if arguments.version else arguments.name
    print(f"{'Retired' if done else 'Already retired'}: {what}.")
    if arguments.version:
        print(f"The latest version is now {latest}." if latest else "No version is left: nobody can open it.")
    return 0


def verify(settings: Settings, arguments: argparse.Namespace) -> int:
    """Read versions again; status 1 when one is damaged."""
    assert settings.catalogue is not None
    with switch_user.for_a_moment(switch_user.catalogue_account(settings.catalogue)):
        store = CatalogueStore(open_catalogue(settings.catalogue))
        try:
            datasets = (store.dataset(arguments.name),) if arguments.name else store.datasets()
        finally:
            store.close()
    chosen = [
        (dataset.name, version)
        for dataset in datasets
        for version in dataset.versions
        if (version.version == arguments.version if arguments.version else not version.retired_at)
    ]
    if arguments.version and not chosen:
        raise FabricError(
            f"The dataset {arguments.name} has no version {arguments.version}.", reason="unknown-version", status=404
        )
    found = []
    for name, version in chosen:
        difference = pack.difference(settings.catalogue, version)
        found.append((name, version, difference))
        print(
            f"{'DAMAGED' if difference else 'OK':<8} {name} {version.version}  {difference or version.sha256}",
            flush=True,
        )
    with admin.opened(settings) as at:
        for name, version, difference in found:
            at.verified(name, version, difference)
    damaged = sum(1 for _, _, difference in found if difference)
    print(f"{len(found)} version{'' if len(found) == 1 else 's'} read, {damaged} damaged.")
    return 1 if damaged else 0


# -- who may use them


def grant(settings: Settings, arguments: argparse.Namespace) -> int:
    """Let a project use a dataset."""
    with admin.opened(settings) as at:
        done = at.grant(arguments.name, arguments.project, arguments.until)
        dataset = at.store.dataset(arguments.name)
    until = f"until {arguments.until}, that day included" if arguments.until else "without an end"
    print(f"{'Granted' if done else 'Already granted'}: {arguments.project} may use {arguments.name} {until}.")
    if not dataset.published_at:
        print(f"It is a draft: nobody sees it before fabric-hub datasets publish {arguments.name}")
    elif dataset.agreement:
        print(f"Each member is asked for the agreement (version {dataset.agreement.version}) and a purpose first.")
    return 0


def revoke(settings: Settings, arguments: argparse.Namespace) -> int:
    """Take a project's grant away."""
    with admin.opened(settings) as at:
        at.revoke(arguments.name, arguments.project, strict=arguments.strict)
    then = "its jobs that have it open end" if arguments.strict else "its running sessions lose it"
    print(f"Revoked: {arguments.project} may not use {arguments.name}; within seconds {then}.")
    return 0


def show_requests(settings: Settings, arguments: argparse.Namespace) -> int:
    """What users asked for."""
    with admin.opened(settings) as at:
        found = at.store.requests()
    if arguments.json:
        _say(json.dumps([request.model_dump(mode="json") for request in found], indent=2))
    elif not found:
        print("Nobody asks for anything.")
    else:
        print("\n".join(table([("dataset", "project", "user", "why")] + [
            (request.dataset, request.project, request.user, request.why or "") for request in found
        ])))  # fmt: skip
    return 0


def decline(settings: Settings, arguments: argparse.Namespace) -> int:
    """Close a project's requests for a dataset."""
    with admin.opened(settings) as at:
        closed = at.decline(arguments.name, arguments.project)
    print(f"{len(closed)} request{'' if len(closed) == 1 else 's'} of {arguments.project} for {arguments.name} closed.")
    return 0


def show_held(settings: Settings, arguments: argparse.Namespace) -> int:
    """Grants that a restore shut."""
    with admin.opened(settings) as at:
        found = at.store.held()
    if arguments.json:
        _say(json.dumps([grant.model_dump(mode="json") for grant in found], indent=2))
    elif not found:
        print(backup_texts.NOTHING_HELD().say())
    else:
        print(
            "\n".join(
                backup_texts.HELD_GRANT(**grant.model_dump(mode="json", exclude={"until"})).say() for grant in found
            )
        )
    return 0


def confirm(settings: Settings, arguments: argparse.Namespace) -> int:
    """Open a grant again that a restore shut, or drop it."""
    pair = {"dataset": arguments.name, "project": arguments.project}
    with admin.opened(settings) as at:
        if arguments.drop:
            at.dismiss(arguments.name, arguments.project)
        else:
            at.confirm(arguments.name, arguments.project)
    print((backup_texts.DISMISSED if arguments.drop else backup_texts.CONFIRMED)(**pair).say())
    return 0


# -- looking


def show_all(settings: Settings, arguments: argparse.Namespace) -> int:
    """All datasets."""
    with admin.opened(settings) as at:
        found = at.store.datasets()
    if arguments.json:
        _say(json.dumps([dataset.model_dump(mode="json") for dataset in found], indent=2))
    elif not found:
        print("The catalogue is empty. Start with: fabric-hub datasets add FILE.toml")
    else:
        head = ("name", "state", "access", "latest", "versions", "title")
        rows = [
            (one.name, state_of(one), one.access or "-", one.latest or "-", str(len(one.versions)), one.title or "")
            for one in found
        ]
        print("\n".join(table([head, *rows])))
    return 0


def show_one(settings: Settings, arguments: argparse.Namespace) -> int:
    """One dataset."""
    with admin.opened(settings) as at:
        dataset = at.store.dataset(arguments.name)
        grants = [grant for grant in at.store.grants() if grant.dataset == dataset.name]
        requests = [request for request in at.store.requests() if request.dataset == dataset.name]
    lacks = missing(dataset)
    if arguments.json:
        more = {
            "grants": [grant.model_dump(mode="json") for grant in grants],
            "requests": [request.model_dump(mode="json") for request in requests],
            "missing": lacks,
        }
        _say(json.dumps({**dataset.model_dump(mode="json"), **more}, indent=2))
    else:
        print(
            "\n".join(of_dataset(dataset) + [of_grant(one) for one in grants] + [of_request(one) for one in requests])
        )
        for line in lacks:
            print(f"missing       {line}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


WORK = {
    "add": describe,
    "pack": pack_image,
    "link": link_directory,
    "publish": offer,
    "retire": retire,
    "verify": verify,
    "grant": grant,
    "revoke": revoke,
    "requests": show_requests,
    "decline": decline,
    "held": show_held,
    "confirm": confirm,
    "list": show_all,
    "show": show_one,
}

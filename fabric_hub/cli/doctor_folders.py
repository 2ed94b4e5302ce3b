"""What ``fabric-hub doctor`` says of the projects' folders: whose they are, and whether they let in the right ones."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.folders import top
from fabric_hub.gateway.folders.plan import decide
from fabric_hub.messages.text import Text, message_of, whole
from fabric_hub.messages.texts import folders as texts
from fabric_hub.projects.folders import shared_accounts, with_folder
from fabric_hub.projects.membership import people
from fabric_hub.unix import accounts

from .findings import Finding, problem, right


def of_site(found: Settings) -> Iterator[Finding]:
    """The directory of the folders, and each folder."""
    if found.folders is None:
        return
    directory = found.folders.directory
    try:
        top.check_parent(directory)
    except FabricError as error:
        yield problem(message_of(error))
        return
    good = 0
    for name in with_folder(found):
        wrong = _wrong(found, name)
        if wrong is None:
            good += 1
        else:
            yield problem(wrong)
    yield right(texts.IN_ORDER(n=good, directory=str(directory)))


def _wrong(found: Settings, name: str) -> Text | None:
    """What is the matter with one folder."""
    assert found.folders is not None
    project, directory = found.project[name], found.folders.directory
    if project.service_account in shared_accounts(found):
        return texts.SHARED_OWNER(project=name, account=project.service_account)
    try:
        owner = accounts.resolve_service(project.service_account, found.users)
    except FabricError as error:
        return texts.NO_OWNER(project=name, account=project.service_account, why=whole(error))
    try:
        seen = top.look(directory, name, owner)
    except FabricError as error:
        return message_of(error)
    uids, unknown = list[int](), False
    for user in people(project):
        try:
            uids.append(accounts.resolve(user, found.users).uid)
        except FabricError as error:
            unknown = unknown or isinstance(error, accounts.UnknownAccountError)
    if decide(seen, uids, some_unknown=unknown, has_name=lambda uid: bool(top.name_of(uid))) is not None:
        return texts.DIFFERS(project=name, path=str(directory / name))
    return None

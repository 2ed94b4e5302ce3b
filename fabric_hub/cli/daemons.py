"""What ``fabric-hub doctor`` asks of the daemons of a site: gateway, catalogue service, node agent, hub and service."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import Reason, Text, verbatim
from fabric_hub.messages.texts import doctor as texts
from fabric_hub.messages.texts import held as held_texts
from fabric_hub.slurm import privacy

from . import doctor_names, doctor_projects
from .findings import Finding, ask, place, problem, right, skipped


class _Daemon(NamedTuple):
    """What is said of a daemon on its socket."""

    itself: Reason
    closed: Reason
    silent: Reason
    status: Reason


# Rights that the gateway must have: with more it could read anything (bits of <linux/capability.h>).
_SETGID, _SETUID = 1 << 6, 1 << 7
_ANSWERS_S = 10.0
_GATEWAYS = frozenset({b"fabric_hub.gateway", b"fabric_hub.slurm.server"})  # now, and by an earlier release's unit
_OPERATORS = ("Operator", "Administrator")
_DAEMONS = {
    "gateway": _Daemon(texts.GATEWAY_ON, texts.MEANT_FOR_GATEWAY, texts.GATEWAY_SILENT, texts.GATEWAY_STATUS),
    "catalogue service": _Daemon(
        texts.CATALOGUE_ON, texts.MEANT_FOR_CATALOGUE, texts.CATALOGUE_SILENT, texts.CATALOGUE_STATUS
    ),
}


def of_site(found: Settings) -> Iterator[Finding]:
    """Every daemon that the site's file calls for."""
    if found.slurm:
        yield from gateway(found)
    if found.catalogue:
        yield from catalogue_service(found.hub, found.catalogue)
        if found.enforces_datasets:
            yield node_agent(found.catalogue.node_socket)
    yield from hub(found.hub)


def gateway(found: Settings) -> Iterator[Finding]:
    """It answers, has the rights to become users and no others, sees in Slurm what the site's file names, and may
    extend sessions where the site wants it to."""
    path = found.gateway.socket
    answer = _health("gateway", path, found.hub)
    if isinstance(answer, Finding):
        yield answer
        return
    owner = path.stat().st_uid
    wrong = _rights(owner) if owner and not found.users.shared_account else None
    if wrong:
        yield problem(wrong)
    else:
        yield right(texts.GATEWAY(path=str(path), account=_name(owner)))
    if why := _problem_in(answer):
        yield problem(texts.GATEWAY_UNSURE(why=why))
    if number := answer.get("held_sessions"):
        yield problem(held_texts.HELD(n=number))
    if found.slurm:
        seen = sight(found, _name(owner))
        if not found.users.shared_account:
            yield seen.told
        yield from asyncio.run(doctor_names.of_gateway(found, seen.hidden))
    if found.slurm and found.slurm.extend == "as-gateway" and not found.users.shared_account:
        yield operator(found, _name(owner))
    if found.slurm and found.slurm.parent_account:
        yield from doctor_projects.of_gateway(found.slurm, _name(owner), answer)


class Sight(NamedTuple):
    """What Slurm hides from the gateway: as words of PrivateData (None: not known), and as a line of the report."""

    told: Finding
    hidden: frozenset[str] | None


def sight(found: Settings, account: str) -> Sight:
    """What Slurm hides from whoever is no Operator (PrivateData) the gateway must be let see."""
    assert found.slurm
    code, config = ask([str(found.slurm.bin_dir / "scontrol"), "show", "config"], found.slurm.conf)
    what = texts.WHETHER_HIDES(account=account)
    if code:
        return Sight(skipped(what, texts.PROGRAM_SAYS(program="scontrol", said=config), texts.MEND_FIRST()), None)
    from_all = frozenset({privacy.CLOUD}) if privacy.hides_cloud_nodes(config) else frozenset[str]()
    hidden = sorted(privacy.private_data(config) & privacy.HIDES.keys())
    if not hidden:
        return Sight(right(texts.HIDES_NOTHING()), from_all)
    words = ",".join(hidden)
    if re.search(rf"^SlurmUser\s*=\s*{re.escape(account)}\(", config, re.MULTILINE):
        return Sight(right(texts.SLURMS_OWN_USER(account=account, words=words)), from_all)
    level = _admin_level(found, account, what)
    if isinstance(level, Finding):
        return Sight(level, None)
    if level in _OPERATORS:
        return Sight(right(texts.HIDES_NOT_FROM_LEVEL(account=account, level=level, words=words)), from_all)
    told = problem(
        texts.HIDES(things=tuple(privacy.HIDES[word] for word in hidden), words=words, account=account),
        verbatim(_make_operator(account, level)),
    )
    return Sight(told, from_all | frozenset(hidden))


def _admin_level(found: Settings, account: str, what: Text) -> str | Finding:
    """An account's level in Slurm, "" where it is no user there; or that ``what`` cannot be checked without it."""
    assert found.slurm
    argv = [str(found.slurm.bin_dir / "sacctmgr"), "-n", "-P", "show", "user", account, "format=adminlevel"]
    code, said = ask(argv, found.slurm.conf)
    if code:
        return skipped(what, texts.PROGRAM_SAYS(program="sacctmgr", said=said), texts.MEND_FIRST())
    if not said and os.geteuid() and _name(os.geteuid()) != account:
        return skipped(what, texts.NO_SUCH_USER_SHOWN(), texts.AS_ROOT())
    return said


def _make_operator(account: str, level: str) -> str:
    if level:  # it is a user there already
        return f"sacctmgr modify user {account} set adminlevel=Operator"
    return f"sacctmgr add user {account} account=ACCOUNT adminlevel=Operator"


def operator(found: Settings, account: str) -> Finding:
    """Slurm lets only an Operator give a running job more time."""
    level = _admin_level(found, account, texts.AN_OPERATOR(account=account))
    if isinstance(level, Finding):
        return level
    if level in _OPERATORS:
        return right(texts.MAY_EXTEND(account=account, level=level))
    return problem(texts.MAY_NOT_EXTEND(account=account), texts.OR_NEVER_EXTEND(command=_make_operator(account, level)))


def catalogue_service(hub: HubSettings, datasets: CatalogueSettings) -> Iterator[Finding]:
    """The catalogue service does its work, and the directories that it shares with the nodes are there."""
    path = datasets.socket
    answer = _health("catalogue service", path, hub)
    if isinstance(answer, Finding):
        yield answer
    elif complaint := _problem_in(answer):
        yield problem(texts.CATALOGUE_FAILS(path=str(path), why=complaint))
    else:
        yield right(texts.CATALOGUE(path=str(path), account=_name(path.stat().st_uid)))
    owner = datasets.account
    for name, place_, mode in (("store", datasets.store, "0700"), ("published", datasets.published, "0755")):
        yield place(f"catalogue.{name}", place_, verbatim(f"install -d -m {mode} -o {owner} -g {owner} {place_}"))


def node_agent(path: Path) -> Finding:
    """The agent of this machine, where it is a node."""
    agent = texts.NODE_AGENT(path=str(path))
    try:
        _ask_node(path)
    except FileNotFoundError:
        return skipped(agent, texts.ON_THE_NODES(), texts.ON_EACH_NODE())
    except PermissionError:
        return skipped(agent, texts.MAY_NOT_REACH(), texts.AS_ROOT())
    except (OSError, ValueError) as error:
        return problem(texts.NODE_AGENT_SILENT(path=str(path), why=str(error)))
    return right(agent)


def _ask_node(path: Path) -> None:
    """Whether a node's agent answers: what no job has open is asked for.

    :raises OSError: nobody answers, or not in time.
    :raises ValueError: what answers is no agent.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ANSWERS_S)
        client.connect(str(path))
        client.sendall(json.dumps({"verb": "list", "job": 0}).encode() + b"\n")
        with client.makefile("rb") as answer:
            line = answer.readline(1 << 20)
    if not line:
        raise ConnectionError(str(texts.HUNG_UP()))
    json.loads(line)


def hub(settings: HubSettings) -> Iterator[Finding]:
    """The hub and its service, through the proxy, as people reach them."""
    address = urlsplit(settings.bind_url)
    here = "127.0.0.1" if address.hostname in (None, "", "0.0.0.0", "::") else address.hostname
    port = f":{address.port}" if address.port else ""
    root = f"{address.scheme}://{f'[{here}]' if ':' in here else here}{port}{settings.base_path}"
    # the proxy leads by name where users have hosts of their own; the certificate is of the public name, too
    headers = {"Host": urlsplit(settings.subdomain_host).netloc} if settings.subdomain_host else {}
    with httpx.Client(timeout=_ANSWERS_S, verify=False, trust_env=False, headers=headers) as client:
        for path, there, silent, other in (
            ("/hub/health", texts.HUB, texts.HUB_SILENT, texts.HUB_STATUS),
            ("/services/fabric/api/health", texts.SERVICE, texts.SERVICE_SILENT, texts.SERVICE_STATUS),
        ):
            try:
                status = client.get(root + path).status_code
            except httpx.HTTPError as error:
                yield problem(silent(url=root, why=str(error)))
                return
            if status == 200:
                yield right(there(url=root + path))
            else:
                yield problem(other(url=root + path, status=status))


def _health(who: str, path: Path, hub: HubSettings) -> dict[str, Any] | Finding:
    """What a daemon says on its socket of how it fares, or what is found instead."""
    daemon, at = _DAEMONS[who], str(path)
    if _closed(path) and not _is_hub(hub):
        return skipped(daemon.itself(path=at), daemon.closed(path=at), texts.AS_ROOT())
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=_ANSWERS_S) as client:
            answer = client.get("http://daemon/v1/health")
    except httpx.HTTPError as error:
        return problem(daemon.silent(path=at, why=str(error)))
    if answer.status_code != 200:
        return problem(daemon.status(path=at, status=answer.status_code))
    found: dict[str, Any] = answer.json()
    return found


def _problem_in(answer: Mapping[str, Any]) -> Text:
    """What keeps a daemon from its work, as its answer has it; nothing where all is well."""
    words, facts = answer.get("problem") or "", (answer.get("reasons") or {}).get("problem")
    return Text.model_validate({**facts, "text": words} if facts else words)


def _closed(path: Path) -> bool:
    """Whether a socket is there, or may be, and this account may not reach it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ANSWERS_S)
        try:
            client.connect(str(path))
        except PermissionError:
            return True
        except OSError:
            return False
    return False


def _is_hub(hub: HubSettings) -> bool:
    """Whether this is the hub's own account, which must reach what it may not here."""
    try:
        return hub.state_dir.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _rights(uid: int) -> Text | None:
    """What is wrong with the capabilities of the gateway's process; None when right or not to be seen."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if process.stat().st_uid != uid or not _GATEWAYS.intersection(command):
                continue
            effective = re.search(r"^CapEff:\s*(\w+)", (process / "status").read_text(), re.MULTILINE)
        except OSError:  # it ended meanwhile, or /proc hides it from us
            continue
        if effective and int(effective.group(1), 16) != _SETUID | _SETGID:
            return texts.GATEWAY_RIGHTS(process=process.name, rights=effective.group(1))
    return None

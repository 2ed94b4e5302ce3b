"""What ``fabric-hub doctor`` asks of the daemons of a site: gateway, catalogue service, node agent, hub and service."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.settings import Settings
from fabric_hub.messages.texts import held as texts
from fabric_hub.rpc.problem import name_of
from fabric_hub.slurm import privacy

from . import doctor_names
from .findings import Finding, ask, place, problem, right, skipped

# Rights that the gateway must have: with more it could read anything (bits of <linux/capability.h>).
_SETGID, _SETUID = 1 << 6, 1 << 7
_ANSWERS_S = 10.0
_GATEWAYS = frozenset({b"fabric_hub.gateway", b"fabric_hub.slurm.server"})  # now, and by an earlier release's unit
_OPERATORS = ("Operator", "Administrator")
_EMBEDDED = "an embedded run: fabric-hub up"


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
    wrong = _rights(owner) if owner and not found.users.shared_account else ""
    if wrong:
        yield problem(wrong, "start it with the ambient capabilities CAP_SETUID and CAP_SETGID, and no others")
    else:
        yield right(f"the gateway on {path}, as {_name(owner)}")
    if said := answer.get("problem"):
        yield problem(f"the gateway knows nothing certain of Slurm now: {said}", "see the gateway's log")
    if number := answer.get("held_sessions"):
        held = texts.HELD(n=number)
        yield problem(held.say(), held.hint.say() if held.hint else "")
    if found.slurm:
        seen = sight(found, _name(owner))
        if not found.users.shared_account:
            yield seen.told
        yield from asyncio.run(doctor_names.of_gateway(found, seen.hidden))
    if found.slurm and found.slurm.extend == "as-gateway" and not found.users.shared_account:
        yield operator(found, _name(owner))


class Sight(NamedTuple):
    """What Slurm hides from the gateway: as words of PrivateData (None: not known), and as a line of the report."""

    told: Finding
    hidden: frozenset[str] | None


def sight(found: Settings, account: str) -> Sight:
    """What Slurm hides from whoever is no Operator (PrivateData) the gateway must be let see."""
    assert found.slurm
    code, config = ask([str(found.slurm.bin_dir / "scontrol"), "show", "config"], found.slurm.conf)
    what = f"whether Slurm hides anything from {account}"
    if code:
        return Sight(skipped(what, f"scontrol says: {config}", "mend that first, then run this again"), None)
    from_all = frozenset({privacy.CLOUD}) if privacy.hides_cloud_nodes(config) else frozenset[str]()
    hidden = sorted(privacy.private_data(config) & privacy.HIDES.keys())
    if not hidden:
        return Sight(right("Slurm hides nothing from the gateway (no PrivateData)"), from_all)
    words = ",".join(hidden)
    if re.search(rf"^SlurmUser\s*=\s*{re.escape(account)}\(", config, re.MULTILINE):
        return Sight(right(f"{account} is Slurm's own user: PrivateData={words} hides nothing from it"), from_all)
    level = _admin_level(found, account, what)
    if isinstance(level, Finding):
        return Sight(level, None)
    if level in _OPERATORS:
        return Sight(right(f"{account} is {level} in Slurm: PrivateData={words} hides nothing from it"), from_all)
    told = problem(
        f"Slurm hides {', '.join(str(privacy.HIDES[word]) for word in hidden)} from the gateway: slurm.conf has "
        f"PrivateData={words}, and {account} is no Operator in Slurm",
        _make_operator(account, level),
    )
    return Sight(told, from_all | frozenset(hidden))


def _admin_level(found: Settings, account: str, what: str) -> str | Finding:
    """An account's level in Slurm, "" where it is no user there; or that ``what`` cannot be checked without it."""
    assert found.slurm
    argv = [str(found.slurm.bin_dir / "sacctmgr"), "-n", "-P", "show", "user", account, "format=adminlevel"]
    code, said = ask(argv, found.slurm.conf)
    if code:
        return skipped(what, f"sacctmgr says: {said}", "mend that first, then run this again")
    if not said and os.geteuid() and _name(os.geteuid()) != account:
        return skipped(what, "Slurm shows this account no such user; PrivateData may hide it", "run it as root")
    return said


def _make_operator(account: str, level: str) -> str:
    if level:  # it is a user there already
        return f"sacctmgr modify user {account} set adminlevel=Operator"
    return f"sacctmgr add user {account} account=ACCOUNT adminlevel=Operator"


def operator(found: Settings, account: str) -> Finding:
    """Slurm lets only an Operator give a running job more time."""
    what = f'{account} as an Operator in Slurm (slurm.extend = "as-gateway")'
    level = _admin_level(found, account, what)
    if isinstance(level, Finding):
        return level
    if level in _OPERATORS:
        return right(f"{account} may give sessions more time: {level} in Slurm")
    return problem(
        f'{account} is no Operator in Slurm: with slurm.extend = "as-gateway" no session gets more time',
        f'{_make_operator(account, level)}, or slurm.extend = "never"',
    )


def catalogue_service(hub: HubSettings, datasets: CatalogueSettings) -> Iterator[Finding]:
    """The catalogue service does its work, and the directories that it shares with the nodes are there."""
    path = datasets.socket
    answer = _health("catalogue service", path, hub)
    if isinstance(answer, Finding):
        yield answer
    elif complaint := answer.get("problem"):
        yield problem(
            f"the catalogue service on {path} cannot do its work: {complaint}", "see the catalogue service's log"
        )
    else:
        yield right(f"the catalogue service on {path}, as {_name(path.stat().st_uid)}")
    owner = datasets.account
    for name, place_, mode in (("store", datasets.store, "0700"), ("published", datasets.published, "0755")):
        yield place(f"catalogue.{name}", place_, f"install -d -m {mode} -o {owner} -g {owner} {place_}")


def node_agent(path: Path) -> Finding:
    """The agent of this machine, where it is a node."""
    remedy = "on each node: systemctl status fabric-node, and look there for its log"
    try:
        _ask_node(path)
    except FileNotFoundError:
        return skipped(f"the node agent on {path}", "this machine has none; the agents are on the nodes", remedy)
    except PermissionError:
        return skipped(f"the node agent on {path}", "this account may not reach it", "run it as root")
    except (OSError, ValueError) as error:
        return problem(
            f"the node agent on {path} does not answer: {error}",
            f"start it: systemctl start fabric-node ({_EMBEDDED}); see its log",
        )
    return right(f"the node agent on {path}")


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
        raise ConnectionError("the daemon hung up")
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
        for who, path in (("the hub", "/hub/health"), ("its service", "/services/fabric/api/health")):
            try:
                status = client.get(root + path).status_code
            except httpx.HTTPError as error:
                yield problem(
                    f"{who} at {root} does not answer: {error}",
                    f"start it: systemctl start fabric-hub ({_EMBEDDED}); its log says why it ended",
                )
                return
            if status == 200:
                yield right(f"{who} at {root}{path}")
            else:
                yield problem(f"{who} at {root}{path} answers {status}", "see the hub's log")


def _health(who: str, path: Path, hub: HubSettings) -> dict[str, object] | Finding:
    """What a daemon says on its socket of how it fares, or what is found instead."""
    meant = f"{path} is the hub's and the {who}'s only"
    if _closed(path) and not _is_hub(hub):
        return skipped(f"the {who} on {path}", f"this account may not reach it ({meant})", "run it as root")
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=_ANSWERS_S) as client:
            answer = client.get("http://daemon/v1/health")
    except httpx.HTTPError as error:
        start = (
            f"start it: systemctl start fabric-{name_of(who)} ({_EMBEDDED}); let this account reach {path} ({meant})"
        )
        return problem(f"the {who} on {path} does not answer: {error}", start)
    if answer.status_code != 200:
        return problem(f"the {who} on {path} answers {answer.status_code}", f"see the {who}'s log")
    found: dict[str, object] = answer.json()
    return found


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


def _rights(uid: int) -> str:
    """What is wrong with the capabilities of the gateway's process; "" when right or not to be seen."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if process.stat().st_uid != uid or not _GATEWAYS.intersection(command):
                continue
            effective = re.search(r"^CapEff:\s*(\w+)", (process / "status").read_text(), re.MULTILINE)
        except OSError:  # it ended meanwhile, or /proc hides it from us
            continue
        if effective and int(effective.group(1), 16) != _SETUID | _SETGID:
            return f"the gateway (process {process.name}) has the capabilities {effective.group(1)}"
    return ""

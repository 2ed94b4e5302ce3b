"""A first site's file from an old hub's configuration. Pure.

It is to be read and completed by a person: what has no place in it, or is not known, stands in it as a comment. What
it says has the form that ``check-config`` accepts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.settings import Profile, parse
from fabric_hub.errors import FabricError
from fabric_hub.launch.batchspawner_compat import EFFECTIVE, merge
from fabric_hub.launch.job_spec import gres_of
from fabric_hub.slurm.model import JobSpec
from fabric_hub.types import AccountName, EnvName, HubUser

from . import batch_script
from .model import OldFile
from .verdicts import SECRET, breaks, variables

_HOURS = 8.0  # where an old hub asked for no time, Slurm's default was its
_OF_SPEC = EFFECTIVE - {"runtime", "prologue", "epilogue", "cluster"}
_ANY = ("", "0.0.0.0", "*", "::")


def first_site(file: OldFile) -> str:
    """The text of a site's file. It names the old file as ``hub.extra_config`` if a hub of that site starts with it."""
    site = parse(_whole(file, (0,)))
    lines = {one.line for one in file.settings if breaks(one, site)} | {one.line for one in file.missing}
    if file.fault:
        lines.add(file.fault.line)
    return _whole(file, sorted(lines))


def _whole(file: OldFile, gone: Sequence[int]) -> str:
    lines = [
        f"# A first site file, made from {_comment(file.path)}. Read it, and change what is yours.",
        "# Check it with: fabric-hub check-config. All settings: docs/reference/settings.md.",
        "",
        *_hub(file, gone),
        "",
        *_login(file),
        "",
        *_gateway(file),
        "",
        "[slurm]",
        "",
        "[images]",
        'dir = "/srv/fabric-hub/images"               # readable by every user on every node',
        "",
        "[image.base]",
        'title = "Base"',
    ]
    for part in (_profiles(file), _project(file)):
        lines += ["", *part]
    return "\n".join(lines) + "\n"


def _numbers(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines))


def _text(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return json.dumps(str(value)).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300]


def _is(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


# -- the hub


def _plain(file: OldFile, section: str, name: str) -> Any:
    found = file.last(section, name)
    return found.value.plain if found and found.value.kind == "plain" else None


def bind_url(file: OldFile) -> str:
    """Where the old hub's proxy listened, as ``hub.bind_url`` says it."""
    said = urlsplit(str(_plain(file, "JupyterHub", "bind_url") or ""))
    tls = bool(_plain(file, "JupyterHub", "ssl_key")) or said.scheme == "https"
    host = said.hostname or str(_plain(file, "JupyterHub", "ip") or "")
    host = "0.0.0.0" if host in _ANY else host
    try:
        port = said.port or int(_plain(file, "JupyterHub", "port") or (443 if tls and said.scheme else 8000))
    except (TypeError, ValueError):
        port = 8000
    path = (said.path or str(_plain(file, "JupyterHub", "base_url") or "")).rstrip("/")
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}{path}"


def _hub(file: OldFile, gone: Sequence[int]) -> Iterator[str]:
    yield "[hub]"
    yield 'id = "main"'
    yield 'state_dir = "/var/lib/fabric-hub-state"       # its jupyterhub.sqlite may be the old hub\'s, copied'
    yield f"bind_url = {_text(bind_url(file))}"
    address = str(_plain(file, "JupyterHub", "hub_connect_ip") or _plain(file, "JupyterHub", "hub_ip") or "")
    if address in _ANY:
        yield 'hub_ip = "127.0.0.1"                          # change: this host on the network of the nodes'
    else:
        yield f"hub_ip = {_text(address)}"
    port = _plain(file, "JupyterHub", "hub_port")
    if isinstance(port, int) and 0 < port < 65536:
        yield f"hub_port = {port}"
    for name in ("public_url", "subdomain_host"):
        value = _plain(file, "JupyterHub", name)
        if isinstance(value, str) and re.fullmatch(r"https?://[A-Za-z0-9._:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?", value):
            yield f"{name} = {_text(value)}"
    if gone:
        yield f"# Before the old configuration can be named here, change what stops the hub in line {_numbers(gone)}:"
        yield f"# extra_config = {_text(file.path)}"
    else:
        yield f"extra_config = {_text(file.path)}"


def _login(file: OldFile) -> Iterator[str]:
    yield "[login]"
    kind = file.last("JupyterHub", "authenticator_class")
    name = (kind.value.name or kind.value.text) if kind else "pam"
    pam = name.rpartition(".")[2].lower() in ("pam", "pamauthenticator", "localauthenticator")
    yield f'kind = "{"pam" if pam else "site"}"'
    admins = _users(file, "admin_users")
    if admins:
        yield f"admins = {_text(admins)}"


def _users(file: OldFile, name: str) -> list[str]:
    value = _plain(file, "Authenticator", name)
    return [user for user in value if _is(HubUser, user)] if isinstance(value, list) else []


# -- the gateway


def _script(file: OldFile) -> batch_script.BatchScript:
    found = file.inherited(_spawner(file), "batch_script")
    return batch_script.read(found.value.text) if found else batch_script.BatchScript()


def _gateway(file: OldFile) -> Iterator[str]:
    yield "[gateway]"
    names = [name for name in _variables(file) if _is(EnvName, name)]
    if names:
        yield f"environment_from_hub = {_text(names)}"
    own = file.inherited(_spawner(file), "req_prologue")
    lines = [*_script(file).prologue]
    if own and own.value.text and "{" not in own.value.text.replace("${", ""):
        yield f"# The lines of req_prologue (line {own.line}) are here: take it out there."
        lines += own.value.text.strip().splitlines()
    for number, line in enumerate(lines):
        if SECRET.search(line):
            yield "# A line of the prologue is left out: it may hold a secret, and everybody may read this file."
            lines[number] = ""
    lines = [line for line in lines if line]
    if lines:
        yield "# A line that fails ends the start; end what may fail in || true."
        text = "\n".join(lines)
        literal = "'''" not in text and all(letter.isprintable() or letter in "\n\t" for letter in text)
        yield f"prologue = '''\n{text}\n'''" if literal else f"prologue = {_text(text)}"
    for line in _script(file).left:
        shown = "(it may hold a secret)" if SECRET.search(line) else _comment(line)
        yield f"# not taken over from batch_script: {shown}"


def _variables(file: OldFile) -> tuple[str, ...]:
    found = file.inherited(_spawner(file), "environment")
    return variables(found.value) if found else ()


# -- profiles


def _spawner(file: OldFile) -> str:
    """The section that the old hub's settings of jobs are looked for in, and in those of its bases."""
    kind = file.last("JupyterHub", "spawner_class")
    name = (kind.value.name or kind.value.text).rpartition(".")[2] if kind else ""
    known = file.classes.get(name)
    return name if known and "SlurmSpawner" in known.bases else "SlurmSpawner"


def _defaults(file: OldFile) -> dict[str, Any]:
    """The ``req_*`` settings of all jobs, names without ``req_``."""
    section = _spawner(file)
    found = {name: file.inherited(section, f"req_{name}") for name in (*EFFECTIVE, "account")}
    return {
        name: one.value.plain for name, one in found.items() if one and one.value.kind == "plain" and one.value.plain
    }


def _profiles(file: OldFile) -> Iterator[str]:
    found = file.last("ProfilesSpawner", "profiles") or file.last("ProfilesSpawner", "default_profiles")
    offered = found.value.plain if found and isinstance(found.value.plain, list) else []
    taken: set[str] = set()
    for entry in offered:
        if not isinstance(entry, list) or len(entry) < 4 or not isinstance(entry[3], dict):
            continue
        title, key, kind, given = entry[:4]
        name = str(kind).rpartition(".")[2]
        if name != "SlurmSpawner" and "SlurmSpawner" not in getattr(file.classes.get(name), "bases", ()):
            yield f"# Not taken over: the profile {_comment(str(title))} is of {_comment(str(kind))}."
            continue
        own = {name.removeprefix("req_"): value for name, value in given.items() if name.startswith("req_")}
        yield from _profile(_slug(str(key), taken), str(title), {**_defaults(file), **own}, _script(file).options)
        yield ""
    if not taken:
        yield from _profile("default", "Default", _defaults(file), _script(file).options)


def _slug(text: str, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:36].strip("-") or "profile"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}-{number}", number + 1
    taken.add(name)
    return name


def _profile(name: str, title: str, req: Mapping[str, Any], options: tuple[str, ...]) -> Iterator[str]:
    told: list[str] = []
    spec = _spec(req, options, told)
    hours = round((spec.minutes or _HOURS * 60) / 60, 2) or 0.02
    table: dict[str, Any] = {"title": title, "partition": spec.partition, "qos": spec.qos}
    table |= {"cpus": spec.cpus if spec.cpus > 1 else None, "memory": _memory(spec.memory_mb)}
    gpus, shards = gres_of(spec, "gpu"), sum(gres_of(spec, "shard").values())
    if len(gpus) > 1 or (gpus and shards):
        told.append(f"--gres={','.join(spec.gres)}")
    elif gpus:
        ((kind, number),) = gpus.items()
        table |= {"gpus": number, "gpu_type": kind or None}
    elif shards:
        table["shards"] = shards
    table |= {"default_hours": hours, "max_hours": hours}
    told += spec.options
    if spec.reservation:
        told.append(f"--reservation={spec.reservation}")
    kept = {key: value for key, value in table.items() if value is not None}
    try:
        Profile.model_validate(kept)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]} or kept.keys() - {"title"}
        told += [f"{key} = {kept[key]}" for key in sorted(wrong)]
        kept = {key: value for key, value in kept.items() if key not in wrong}
    yield f"[profile.{name}]"
    yield from (f"{key} = {_text(value)}" for key, value in kept.items())
    yield from (f"# not taken over: {_comment(line)}" for line in told)


def _spec(req: Mapping[str, Any], options: tuple[str, ...], told: list[str]) -> JobSpec:
    """One job with these settings, each that Slurm would not take left out and told."""
    spec = JobSpec()
    given = [(name, req[name]) for name in sorted(_OF_SPEC | {"runtime"}) if name in req and name != "options"]
    for name, value in [*given, ("options", req.get("options", "")), *(("options", one) for one in options)]:
        try:
            spec = merge(spec, {name: value})
        except FabricError:
            told.append(f"req_{name} = {value}")
    left = [line for text in (req.get("options", ""), *options) for line in _left(str(text))]
    return spec.model_copy(update={"options": tuple(dict.fromkeys(left))})


def _left(options: str) -> tuple[str, ...]:
    try:
        return merge(JobSpec(), {"options": options}).options
    except FabricError:
        return ()


def _memory(mib: int | None) -> str | None:
    if mib is None:
        return None
    return f"{mib // 1024}G" if mib % 1024 == 0 else f"{mib}M"


def _project(file: OldFile) -> Iterator[str]:
    account = _defaults(file).get("account")
    yield "# Every user needs a project; its account in Slurm pays for their sessions."
    if not _is(AccountName, account):
        yield "# [project.NAME]"
        yield '# account = "…"'
        yield '# members = ["…"]'
        return
    yield f"[project.{_slug(str(account), set())}]"
    yield f"account = {_text(account)}"
    yield f"members = {_text(_users(file, 'allowed_users'))}"

"""What becomes of each setting of a configuration that was written for another hub. Pure.

Without a site's file it is an old hub's, and what breaks a hub of ours is said to be replaced. With one it is the file
that the site's ``hub.extra_config`` names, read after ours: what breaks the hub then is refused (``stops``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.batchspawner_compat import EFFECTIVE, merge
from fabric_hub.messages.text import NOTHING, Text, sentences
from fabric_hub.messages.texts import moving as texts
from fabric_hub.slurm.model import JobSpec

from . import batch_script, static
from .model import Judged, OldFile, Setting, Value, Verdict
from .recorder import OWN

# Sections whose settings reach our spawner, the most general first.
SLURM = ("Spawner", "BatchSpawnerBase", "BatchSpawnerRegexStates", "UserEnvMixin", "SlurmSpawner")
# Those that the class which JupyterHub sees is made of: what stands there is used as it is.
WRAPPER = ("Spawner", "WrapSpawner", "FabricSpawner")

Said = tuple[Verdict, Text]
Rule = Callable[[OldFile, Setting, Settings | None], Said]

_KEPT, _REPLACED, _UNUSED, _REFUSED = Verdict.KEPT, Verdict.REPLACED, Verdict.UNUSED, Verdict.REFUSED
SECRET = re.compile(r"secret|token|passw|credential|api_?key", re.IGNORECASE)

_BY_SITE: dict[str, str] = {
    "bind_url": "hub.bind_url",
    "ip": "hub.bind_url",
    "port": "hub.bind_url",
    "base_url": "hub.bind_url",
    "hub_ip": "hub.hub_ip",
    "hub_port": "hub.hub_port",
    "hub_bind_url": "hub.hub_ip, hub.hub_port",
    "hub_connect_ip": "hub.hub_ip",
    "hub_connect_url": "hub.hub_ip, hub.hub_port",
    "public_url": "hub.public_url",
    "subdomain_host": "hub.subdomain_host",
    "internal_ssl": "hub.internal_ssl",
}
_BETTER = {
    "services": "c.JupyterHub.services.append(…)",
    "load_roles": "c.JupyterHub.load_roles.append(…)",
    "template_paths": "c.JupyterHub.template_paths.insert(0, …)",
    "custom_scopes": "c.JupyterHub.custom_scopes.update(…)",
    "template_vars": "c.JupyterHub.template_vars.update(…)",
    "tornado_settings": "c.JupyterHub.tornado_settings.update(…)",
    "jinja_environment_options": "c.JupyterHub.jinja_environment_options.update(…)",
}
_FORM = frozenset({"options_form", "options_from_form"})
_RESOURCES = frozenset({"mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee"})
_BY_IMAGE = frozenset({"cmd", "args", "ip", "port"})
_HOOKS = frozenset({"pre_spawn_hook", "auth_state_hook"})
_WRAPPED = frozenset({"child_config", "child_class", "child_profile", "profiles"})


def judge(file: OldFile, site: Settings | None = None) -> tuple[Judged, ...]:
    """Every line of a file that says something, in its order.

    :param site: the site whose ``hub.extra_config`` names it; None: it is an old hub's whole configuration.
    """
    found = [_judged(file, one, *_setting(file, one, site), site) for one in file.settings]
    for missing in file.missing:
        why = texts.MISSING(module=missing.module)
        found.append(_line(file, missing.line, f"import {missing.module}", _REFUSED, why))
    if file.fault:
        why = texts.FAULT(error=file.fault.error)
        found.append(_line(file, file.fault.line, "", _REFUSED, why))
    return tuple(sorted(found, key=lambda one: (one.file != file.path, one.file, one.line)))


def _line(file: OldFile, line: int, setting: str, verdict: Verdict, why: Text) -> Judged:
    return Judged(file=file.path, line=line, setting=setting, verdict=verdict, why=why, stops=True)


def _judged(file: OldFile, one: Setting, verdict: Verdict, why: Text, site: Settings | None) -> Judged:
    if not one.ran and file.unrun is None:
        why = sentences(why, texts.NOT_REACHED())
    stops = site is not None and breaks(one, site) is not None
    return Judged(
        file=one.file or file.path, line=one.line, setting=one.key, verdict=verdict, why=why, ran=one.ran, stops=stops
    )


def _setting(file: OldFile, one: Setting, site: Settings | None) -> Said:
    if one.again:
        return _UNUSED, texts.SET_AGAIN(line=one.again)
    if site is not None and (why := breaks(one, site)):
        return _REFUSED, sentences(why, texts.LEFT_OVER())
    if one.section.startswith("Fabric"):
        return (_REPLACED, texts.BY_FORM()) if one.name in _FORM else (_KEPT, texts.AS_BEFORE())
    known = file.classes.get(one.section)
    if known is None:
        return _UNUSED, texts.NO_CLASS(section=one.section)
    if "Spawner" in known.bases:
        return _spawner(file, one, site, known.bases)
    if one.name not in known.traits:
        return _UNUSED, texts.NO_SUCH(section=one.section)
    if one.section == "JupyterHub":
        return _hub(file, one)
    if "Authenticator" in known.bases:
        narrowed = one.name == "allowed_users" and not keeps_own(one)
        return _KEPT, texts.LOGIN_NARROWED() if narrowed else texts.AS_BEFORE()
    if "Proxy" in known.bases:
        return _proxy(one)
    return _KEPT, texts.AS_BEFORE()


# -- the hub


def _hub(file: OldFile, one: Setting) -> Said:
    name = one.name
    if name == "spawner_class":
        kind = (one.value.name or one.value.text).rpartition(".")[2]
        methods = file.classes[kind].methods if kind in file.classes else ()
        own = texts.OWN_METHODS(names=methods) if methods else None
        return _REPLACED, sentences(texts.BY_SPAWNER(), own, texts.LEFT_OVER())
    if name == "proxy_class":
        return _REPLACED, sentences(texts.BY_PROXY(), texts.LEFT_OVER())
    if name in ("ssl_key", "ssl_cert"):
        return _KEPT, texts.TLS()
    if name in _BY_SITE:
        return _REPLACED, texts.BY_SETTING(settings=_BY_SITE[name])
    if name in _BETTER:
        if keeps_own(one):
            return _KEPT, texts.ADDED()
        return _REFUSED, _drops(name)
    if name == "authenticator_class" and one.value.text in file.unloadable:
        return _REFUSED, texts.NOT_INSTALLED(name=one.value.text)
    return _KEPT, texts.AS_BEFORE()


def _drops(name: str) -> Text:
    said = texts.DROPS(better=_BETTER[name])
    return sentences(said, said.hint)


def _proxy(one: Setting) -> Said:
    if one.name == "command":
        return _REPLACED, texts.BY_SETTING(settings="hub.proxy_command")
    if one.name in ("api_url", "should_start") and one.value.plain is not True:
        return _REPLACED, sentences(texts.BY_PROXY(), texts.LEFT_OVER())
    return _KEPT, texts.AS_BEFORE()


def keeps_own(one: Setting) -> bool:
    """Whether a list or table of the hub's still has what the hub itself puts there (:data:`.recorder.OWN`)."""
    own, value = OWN.get((one.section, one.name)), one.value
    if value.kind == "added":
        return True
    if value.kind == "unread":
        return f"c.{one.key}" in value.name
    if isinstance(own, dict):
        return isinstance(value.plain, dict) and own.keys() <= value.plain.keys()
    if not isinstance(value.plain, list):
        return False
    if isinstance(own, set):
        return own <= {entry for entry in value.plain if isinstance(entry, str)}
    return all(any(_is_own(entry, mine) for entry in value.plain) for mine in own or [])


def _is_own(entry: Any, mine: Any) -> bool:
    if isinstance(mine, dict):
        return isinstance(entry, dict) and entry.get("name") == mine["name"]
    return isinstance(entry, str) and entry.endswith(mine)


def breaks(one: Setting, site: Settings) -> Text | None:
    """Why a hub of ours does not work with what its site's own configuration sets; None: it does."""
    value, name = one.value, one.name
    if one.section in WRAPPER and name in _FORM:
        return texts.BY_FORM()
    if one.section == "ConfigurableHTTPProxy":
        ours = (name == "api_url" and site.hub.proxy_api_socket.name in value.text) or value.plain is True
        fixed = ("api_url", "should_start", *(["auth_token"] if site.hub.proxy_unit else []))
        return texts.BY_PROXY() if name in fixed and not ours else None
    if one.section != "JupyterHub":
        return None
    if name in ("spawner_class", "proxy_class"):
        shown = value.name or value.text
        ours = shown.startswith("fabric_hub.") or (value.kind == "unread" and "Fabric" in shown)
        return None if ours else texts.BY_SPAWNER() if name == "spawner_class" else texts.BY_PROXY()
    if name in ("ssl_key", "ssl_cert"):
        if site.hub.bind_url.startswith("https:"):
            return None
        said = texts.NEEDS_HTTPS(url=site.hub.bind_url)
        return sentences(said, said.hint)
    if name in _BETTER:
        return None if keeps_own(one) else _drops(name)
    if name in _BY_SITE and value.kind == "plain":
        ours = _address(site, name)
        if ours is not None and _comparable(value.plain) != _comparable(ours):
            return texts.DIFFERS(site=f"{_BY_SITE[name]} = {ours}")
    return None


def _comparable(value: Any) -> str:
    return str(value).rstrip("/").lower()


def _address(site: Settings, name: str) -> Any:
    """What the site's file says where a setting of JupyterHub's says the same; None: nothing to compare."""
    hub, public = site.hub, urlsplit(site.hub.bind_url)
    api = f"{hub.hub_ip}:{hub.hub_port}"
    scheme = "https" if hub.internal_ssl else "http"
    return {
        "bind_url": hub.bind_url,
        "ip": public.hostname or "",
        "port": public.port or (443 if public.scheme == "https" else 80),
        "base_url": public.path or "/",
        "hub_ip": hub.hub_ip,
        "hub_port": hub.hub_port,
        "hub_bind_url": f"{scheme}://{api}",
        "hub_connect_url": f"{scheme}://{api}",
        "hub_connect_ip": hub.hub_ip,
        "public_url": hub.public_url or None,
        "subdomain_host": hub.subdomain_host,
        "internal_ssl": hub.internal_ssl,
    }.get(name)


# -- spawners


def _spawner(file: OldFile, one: Setting, site: Settings | None, bases: tuple[str, ...]) -> Said:
    section, name = one.section, one.name
    if "ProfilesSpawner" in bases:
        return _profiles(one)
    if "BatchSpawnerBase" in bases and "SlurmSpawner" not in bases and section not in SLURM:
        return _UNUSED, texts.OTHER_BATCH(section=section)
    if section not in (*SLURM, *WRAPPER):
        return _UNUSED, texts.OTHER_CLASS(section=section)
    if name not in file.classes[section].traits:
        return _UNUSED, texts.NO_SUCH(section=section)
    if name.startswith("req_"):
        verdict, why = _req(name.removeprefix("req_"), one.value)
        untrusted = site is not None and not site.gateway.script_text_from_hub
        return (_REFUSED if untrusted and why.code == texts.WITH_TRUST.code else verdict), why
    rule = _RULES.get(name)
    if rule:
        return rule(file, one, site)
    if name in _FORM:
        last = texts.LEFT_OVER() if section in WRAPPER else None
        return _REPLACED, sentences(texts.BY_FORM(), last)
    if name in _WRAPPED:
        return _UNUSED, texts.FOR_WRAPPED()
    if name in _BY_IMAGE:
        return _UNUSED, texts.BY_IMAGE()
    if name in _RESOURCES:
        return _UNUSED, texts.RESOURCES()
    if name not in file.classes["Spawner"].traits:
        return _UNUSED, texts.BY_GATEWAY()
    return _KEPT, texts.AS_BEFORE()


def _req(name: str, value: Value) -> Said:
    if wrong := wrong_value(name, value):
        return _REFUSED, wrong
    if name == "cluster":
        return (_REFUSED, texts.OTHER_CLUSTER()) if value.plain or value.kind != "plain" else (_UNUSED, NOTHING)
    if name == "account":
        return _UNUSED, texts.ACCOUNT()
    if name == "runtime":
        return _REPLACED, texts.BY_PROFILE_TIME()
    if name in ("prologue", "epilogue"):
        return _KEPT, texts.WITH_TRUST()
    if name == "options":
        spec = merge(JobSpec(), {"options": value.text}) if value.text else JobSpec()
        return _KEPT, texts.WITH_TRUST() if spec.options or value.kind != "plain" else texts.AS_BEFORE()
    if name == "reservation":
        return _KEPT, texts.AS_BEFORE()
    if name in EFFECTIVE:
        return _KEPT, texts.WHERE_SILENT()
    return _UNUSED, texts.BY_GATEWAY()


def wrong_value(name: str, value: Value) -> Text | None:
    """That Slurm would not take a ``req_*`` setting, named without ``req_``."""
    if value.kind != "plain" or name not in EFFECTIVE:
        return None
    try:
        merge(JobSpec(), {name: value.plain})
    except FabricError:
        return texts.WRONG_VALUE(value=f"req_{name} = {value.plain!r}")
    return None


def _profiles(one: Setting) -> Said:
    if one.name in ("profiles", "default_profiles"):
        offered = one.value.plain if isinstance(one.value.plain, list) else []
        for profile in offered:
            given = (
                profile[3] if isinstance(profile, list) and len(profile) > 3 and isinstance(profile[3], dict) else {}
            )
            for name, value in given.items():
                if wrong := wrong_value(name.removeprefix("req_"), Value(plain=value)):
                    return _REFUSED, wrong
        return _REPLACED, texts.BY_PROFILES(n=len(offered))
    if one.name in _FORM or one.name.endswith("_template"):
        return _REPLACED, texts.BY_FORM()
    return _UNUSED, texts.FOR_WRAPPED()


def _script(file: OldFile, one: Setting, site: Settings | None) -> Said:
    script = batch_script.read(one.value.text)
    return _REPLACED, sentences(
        texts.BY_SCRIPT(),
        texts.SCRIPT_OPTIONS(lines=_shown(script.options)) if script.options else None,
        texts.SCRIPT_PROLOGUE(lines=_shown(script.prologue)) if script.prologue else None,
        texts.SCRIPT_LEFT(lines=_shown(script.left)) if script.left else None,
    )


def _shown(lines: Iterable[str]) -> str:
    return "; ".join("…" if SECRET.search(line) else line for line in lines)


def _environment(file: OldFile, one: Setting, site: Settings | None) -> Said:
    names = variables(one.value)
    if site is not None:
        names = tuple(name for name in names if name not in site.gateway.environment_from_hub)
    if not names:
        return _KEPT, texts.AS_BEFORE()
    return (_KEPT if site is None else _REFUSED), texts.ENVIRONMENT(names=names)


def variables(value: Value) -> tuple[str, ...]:
    """The variables of ``c.Spawner.environment`` that a gateway lets through only where the site's file names them."""
    plain = value.plain if isinstance(value.plain, dict) else {}
    if value.kind == "added":
        plain = plain.get("update", plain) if isinstance(plain.get("update", plain), dict) else {}
    return tuple(sorted(name for name in plain if not name.startswith(("JUPYTERHUB_", "FABRIC_"))))


def _hook(file: OldFile, one: Setting, site: Settings | None) -> Said:
    if one.value.kind == "plain":
        return _KEPT, texts.AS_BEFORE()
    name = one.value.name.removeprefix("lambda").strip() if one.value.kind == "unread" else one.value.name
    found = static.hook(file.text, name, one.value.line)
    if found is None:
        return _KEPT, texts.HOOK_ELSEWHERE()
    return _sets(file, found.sets)


def _overrides(file: OldFile, one: Setting, site: Settings | None) -> Said:
    plain = one.value.plain if isinstance(one.value.plain, dict) else {}
    tables = [table.get("spawner_override") for table in plain.values() if isinstance(table, dict)]
    given: dict[str, Any] = {}
    for table in tables:
        given |= table if isinstance(table, dict) else {}
    for name, value in given.items():
        if wrong := wrong_value(name.removeprefix("req_"), Value(plain=value)):
            return _REFUSED, wrong
    return _sets(file, given)


def _sets(file: OldFile, names: Mapping[str, Any]) -> Said:
    """What is said of a hook that sets these on the spawner which it is given."""
    slurm = file.classes["SlurmSpawner"].traits if "SlurmSpawner" in file.classes else ()
    plain = file.classes["Spawner"].traits if "Spawner" in file.classes else ()
    without = [
        name
        for name in names
        if (name.startswith("req_") and name.removeprefix("req_") not in EFFECTIVE | {"account"})
        or (not name.startswith("req_") and name in slurm and name not in plain)
        or name in _WRAPPED
    ]
    if without:
        return _REFUSED, texts.HOOK_REFUSED(names=tuple(sorted(without)))
    if "req_account" in names:
        return _REFUSED, texts.HOOK_ACCOUNT()
    counting = tuple(sorted(names))
    return _KEPT, texts.HOOK(names=counting) if counting else texts.HOOK_PLAIN()


def _unused(said: Callable[[], Text]) -> Rule:
    return lambda file, one, site: (_UNUSED, said())


_RULES: dict[str, Rule] = {
    "batch_script": _script,
    "environment": _environment,
    "start_timeout": _unused(texts.NO_QUEUE_LIMIT),
    "env_keep": _unused(texts.NOT_PASSED),
    "group_overrides": _overrides,
    **dict.fromkeys(_HOOKS, _hook),
}

"""The site file of an embedded run: a pure function from what was chosen to TOML text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from fabric_hub.errors import FabricError

from . import accounting, accounts, demo
from .gpus import Gpus
from .layout import Layout
from .ports import Ports
from .provider import setting as provider_setting

IMAGES: dict[str, dict[str, Any]] = {
    "base": {
        "title": "Base",
        "description": "JupyterLab, NumPy, pandas, SciPy, scikit-learn, Matplotlib, Plotly and Dask.",
    },
    "science": {
        "title": "Science",
        "description": "Base, with xarray, netCDF, statsmodels, seaborn, scikit-image, SymPy, Graphviz and Git.",
        "when_built": True,
    },
}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    # a JSON string is a TOML basic string, once DEL is escaped too (https://toml.io/en/v1.0.0#string)
    return json.dumps(str(value)).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def toml(data: dict[str, Any], path: str = "") -> str:
    """Nested dicts as TOML tables; None is left out."""
    own = {key: value for key, value in data.items() if not isinstance(value, dict) and value is not None}
    text = f"\n[{path}]\n" if path and (own or not data) else ""
    text += "".join(f"{_key(key)} = {_value(value)}\n" for key, value in own.items())
    for key, value in data.items():
        if isinstance(value, dict):
            text += toml(value, f"{path}.{_key(key)}" if path else _key(key))
    return text


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One table over another: what both have is as it is above, tables go together."""
    found = dict(below)
    for key, value in above.items():
        under = found.get(key)
        found[key] = merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return found


def both(one: Mapping[str, Any], other: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The settings that both name, as ``table.key``."""
    for key in one.keys() & other.keys():
        mine, theirs = one[key], other[key]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from both(mine, theirs, f"{path}{key}.")
        elif mine is not None:
            yield f"{path}{key}"


def site(
    layout: Layout,
    ports: Ports,
    *,
    prefix: str | None,
    catalogue_service: str,
    gpus: Gpus | None,
    proxy_command: tuple[str, ...],
    science_first: bool = True,
    oidc: bool = False,
    wanted: Mapping[str, Any] | None = None,
) -> str:
    """The text of site.toml.

    :param catalogue_service: the account of the catalogue service.
    :param prefix: of the Unix accounts; None when everybody runs as the hub's own account.
    :param gpus: of the embedded cluster; None without Slurm.
    :param science_first: where image science is built, it is offered before base.
    :param oidc: people may log in at the run's own identity provider, too.
    :param wanted: settings of whoever starts the run, above the demo's own.
    :raises FabricError: they name one that the run itself rests on.
    """
    own: dict[str, Any] = {
        "hub": {
            "id": "demo",
            "state_dir": layout.hub,
            "bind_url": f"http://127.0.0.1:{ports.public}",
            "hub_port": ports.hub,
            "proxy_command": list(proxy_command),
            # the hub could not give its certificates to other accounts, and all is on this machine's loopback
            "internal_ssl": False if gpus is None and prefix is not None else None,
        },
        "login": {
            "kind": "demo",
            "demo_file": layout.logins,
            "admins": [demo.ADMIN],
            "provider": provider_setting(layout, ports.provider) if oidc else None,
        },
        "gateway": {"socket": layout.gateway_socket, "accounts_file": layout.gateway_accounts},
        "catalogue": {
            "account": catalogue_service,
            "state_dir": layout.catalogue_service,
            "socket": layout.catalogue_socket,
            "store": layout.datasets,
            "published": layout.published,
            "data_dir": layout.data,
            "node_socket": layout.node_socket,
            "pools": accounts.pools(prefix) if prefix is not None and gpus is not None else None,
        },
        "users": {"unix_name": f"{prefix}{{user}}", "rescue_dir": f"{layout.rescue}/{{user}}"}
        if prefix is not None
        else {"shared_account": True, "home": f"{layout.homes}/{{user}}", "rescue_dir": f"{layout.rescue}/{{user}}"},
        "images": {"dir": layout.images},
        "folders": {"directory": layout.folders} if prefix is not None and gpus is not None else None,
        "slurm": None if gpus is None else {"conf": layout.slurm_conf},
    }
    offered: dict[str, Any] = {
        "catalogue": {"export": {"title": "Demo datasets", "publisher": "Fabric Hub demo"}},
        "image": dict(reversed(IMAGES.items()) if science_first else IMAGES.items()),
        "profile": {"local": demo.LOCAL_PROFILE} if gpus is None else demo.profiles(gpus.type, gpus.most),
        "project": demo.PROJECTS,
    }
    if gpus is None:
        offered["project"] = {name: {**project, "budget_gpu_hours": None} for name, project in demo.PROJECTS.items()}
    else:
        if prefix is not None:
            owners = accounts.folder_accounts(prefix)
            offered["project"] = {
                name: {**project, "service_account": owners[name]} for name, project in demo.PROJECTS.items()
            }
        # this Slurm is ours alone: asking it more often than a site would makes the demo livelier
        offered["slurm"] = {
            "watch_interval_s": 2,
            "nodes_interval_s": 5,
            "limits_interval_s": 10,
            "max_queries_per_s": 2,
            "parent_account": accounting.PARENT,
        }
        offered["quotas"] = {"rescue_profile": demo.RESCUE}
    wanted = wanted or {}
    taken = ["slurm (it has none)"] if gpus is None and "slurm" in wanted else sorted(both(own, wanted))
    if taken:
        raise FabricError(
            f"An embedded run sets these itself: {', '.join(taken)}.",
            reason="settings",
            hint="Leave them out of the file that --settings names.",
        )
    text = toml(merged(merged(own, offered), wanted)).lstrip("\n")
    return f"# Written by fabric-hub up at every start; changes here are lost (use --settings FILE).\n{text}"

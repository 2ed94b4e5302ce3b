"""The site file of an embedded run: a pure function from what was chosen to TOML text."""

from __future__ import annotations

import json
from typing import Any

from . import demo
from .gpus import Gpus
from .layout import Layout
from .ports import Ports


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    # a JSON string is a TOML basic string, once DEL is escaped too (https://toml.io/en/v1.0.0#string)
    return json.dumps(str(value)).replace("\x7f", "\\u007f")


def toml(data: dict[str, Any], path: str = "") -> str:
    """Nested dicts as TOML tables; None is left out."""
    own = {key: value for key, value in data.items() if not isinstance(value, dict) and value is not None}
    text = f"\n[{path}]\n" if path and (own or not data) else ""
    text += "".join(f"{key} = {_value(value)}\n" for key, value in own.items())
    for key, value in data.items():
        if isinstance(value, dict):
            text += toml(value, f"{path}.{key}" if path else key)
    return text


def site(
    layout: Layout,
    ports: Ports,
    *,
    prefix: str | None,
    keeper: str,
    gpus: Gpus | None,
    proxy_command: tuple[str, ...],
) -> str:
    """The text of site.toml.

    :param keeper: the account of the keeper.
    :param prefix: of the Unix accounts; None when everybody runs as the hub's own account.
    :param gpus: of the embedded cluster; None without Slurm.
    """
    data: dict[str, Any] = {
        "hub": {
            "id": "demo",
            "state_dir": layout.hub,
            "bind_url": f"http://127.0.0.1:{ports.public}",
            "hub_port": ports.hub,
            "proxy_api_port": ports.proxy_api,
            "service_port": ports.service,
            "proxy_command": list(proxy_command),
            # the hub could not give its certificates to other accounts, and all is on this machine's loopback
            "internal_ssl": False if gpus is None and prefix is not None else None,
        },
        "login": {"kind": "demo", "demo_file": layout.logins, "admins": [demo.ADMIN]},
        "gateway": {"socket": layout.gateway_socket},
        "datasets": {
            "account": keeper,
            "state_dir": layout.keeper,
            "socket": layout.keeper_socket,
            "store": layout.datasets,
            "published": layout.published,
            "data_dir": layout.data,
            "node_socket": layout.node_socket,
            "catalogue": {"title": "Demo datasets", "publisher": "Fabric Hub demo"},
        },
        "users": {"unix_name": f"{prefix}{{user}}"}
        if prefix is not None
        else {"shared_account": True, "home": f"{layout.homes}/{{user}}"},
        "images": {"dir": layout.images},
        "image": {"base": {"title": "Base", "description": "JupyterLab, NumPy, pandas, SciPy, Matplotlib and Dask."}},
    }
    if gpus is None:
        data["profile"] = {"local": demo.LOCAL_PROFILE}
        projects = {name: {**project, "budget_gpu_hours": None} for name, project in demo.PROJECTS.items()}
    else:
        # this Slurm is ours alone: asking it more often than a site would makes the demo livelier
        data["slurm"] = {
            "conf": layout.slurm_conf,
            "watch_interval_s": 2,
            "nodes_interval_s": 5,
            "limits_interval_s": 10,
            "max_queries_per_s": 2,
        }
        data["profile"] = demo.profiles(gpus.type, gpus.most)
        data["quotas"] = {"rescue_profile": demo.RESCUE}
        projects = demo.PROJECTS
    data["project"] = projects
    return "# Written by fabric-hub up at every start; changes here are lost.\n" + toml(data).lstrip("\n")

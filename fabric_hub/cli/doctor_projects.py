"""What ``fabric-hub doctor`` says of Slurm's accounts and the projects: their parent, and the gateway's rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway.projects import reconciler
from fabric_hub.gateway.queries import associations
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import doctor as texts
from fabric_hub.messages.texts import slurm_projects as of_projects
from fabric_hub.types import slurm_key

from .findings import Finding, ask, problem, right, skipped

_READ = ("--noheader", "--parsable2", "--readonly", "show")
_MORE = ("Operator", "Administrator")


def of_gateway(slurm: SlurmSettings, account: str, health: Mapping[str, Any]) -> Iterator[Finding]:
    """The parent account is there, Slurm enforces limits, and the gateway is coordinator and no more.

    :param account: the gateway's Unix account.
    :param health: what the gateway says of itself.
    """
    parent = slurm.parent_account or ""
    yield _configuration(slurm)
    code, said = ask(_sacctmgr(slurm, "account", parent, "withcoord", "format=account,coord"), slurm.conf)
    if code:
        what = of_projects.PARENT_OF_PROJECTS(parent=parent)
        yield skipped(what, texts.PROGRAM_SAYS(program="sacctmgr", said=said), texts.MEND_FIRST())
        return
    coordinators = _coordinators(said, parent)
    if coordinators is None:
        yield problem(of_projects.NO_PARENT(parent=parent, gateway=account))
        return
    yield right(of_projects.PARENT_OF_PROJECTS(parent=parent))
    if slurm.projects == "fabric":
        yield _right_of(slurm, account, parent, coordinators)
    told = health.get("projects") or {}
    if told.get("left") or told.get("drift"):
        about = of_projects.PROJECTS_DIFFER(left=int(told["left"]), drift=int(told["drift"]))
        yield Finding(state="NOTE", about=about, remedy=about.hint or verbatim(""))


def _sacctmgr(slurm: SlurmSettings, *words: str) -> list[str]:
    return [str(slurm.bin_dir / "sacctmgr"), *_READ, *words]


def _configuration(slurm: SlurmSettings) -> Finding:
    what = of_projects.LIMITS_ENFORCED()
    code, said = ask([str(slurm.bin_dir / "scontrol"), "show", "config"], slurm.conf)
    if code:
        return skipped(what, texts.PROGRAM_SAYS(program="scontrol", said=said), texts.MEND_FIRST())
    try:
        rules = associations.accounting_rules(said)
    except ValueError as error:
        return skipped(what, texts.PROGRAM_SAYS(program="scontrol", said=str(error)), texts.MEND_FIRST())
    wrong = reconciler.notes(rules)
    if reconciler.not_enforced(rules):
        return problem(wrong[-1])
    if wrong:
        return Finding(state="NOTE", about=wrong[0], remedy=_hint(wrong[0]))
    return right(what)


def _hint(text: Text) -> Text:
    return text.hint or verbatim("")


def _coordinators(said: str, parent: str) -> frozenset[str] | None:
    """Who may change what is below an account; None: Slurm has no such account."""
    for line in said.splitlines():
        name, _, coordinators = line.partition("|")
        if slurm_key(name) == parent:
            return frozenset(one for one in coordinators.split(",") if one)
    return None


def _right_of(slurm: SlurmSettings, account: str, parent: str, coordinators: frozenset[str]) -> Finding:
    """Whether the gateway may do just what it must."""
    code, said = ask(_sacctmgr(slurm, "user", account, "format=adminlevel"), slurm.conf)
    level = said.strip() if not code else ""
    if level in _MORE and slurm.extend != "as-gateway":
        about = of_projects.MORE_THAN_COORDINATOR(account=account, level=level, parent=parent)
        return Finding(state="NOTE", about=about, remedy=_hint(about))
    if account in coordinators or level in _MORE or _is_slurms_own(slurm, account):
        return right(of_projects.COORDINATOR(account=account, parent=parent))
    return problem(of_projects.NO_COORDINATOR(account=account, parent=parent))


def _is_slurms_own(slurm: SlurmSettings, account: str) -> bool:
    code, said = ask([str(slurm.bin_dir / "scontrol"), "show", "config"], slurm.conf)
    return not code and any(
        line.split("=", 1)[1].strip().startswith(f"{account}(")
        for line in said.splitlines()
        if line.startswith("SlurmUser ") and "=" in line
    )

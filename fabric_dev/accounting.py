"""The embedded cluster's accounts, users and budgets in Slurm's database."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping

from fabric_hub.errors import FabricError

from .demo import PROJECTS, members
from .slurmconf import CLUSTER

ADD_CLUSTER = [["add", "cluster", CLUSTER]]
# An account in which no job may run: Slurm knows no user, and so no Operator and no coordinator, who is in none.
NO_JOBS = "operators"
# Below it are the accounts of the projects that the catalogue service keeps.
PARENT = "fabric-projects"


def commands(unix: Mapping[str, str], gateway: str | None, *, operates: bool) -> list[list[str]]:
    """The sacctmgr arguments that make the demo's accounts: one account per project, its members, its budget.

    :param unix: the Unix account of every demo user. The hub's account is in none: Slurm refuses its own jobs, and
        gives it no right over anyone's.
    :param gateway: the gateway's account; None when it is Slurm's own user, who may do everything. It may run no job,
        and is coordinator of the projects' parent account.
    :param operates: the gateway is an Operator as well, to give running sessions more time (``slurm.extend``).
    """
    names = ",".join(str(project["account"]) for project in PROJECTS.values())
    made = [["add", "account", names, f"Cluster={CLUSTER}", "Description=demo", "Organization=demo"]]
    for project in PROJECTS.values():
        account = str(project["account"])
        users = ",".join(sorted({unix[name] for name in members(project)}))
        made.append(["add", "user", users, f"Cluster={CLUSTER}", f"Account={account}"])
        minutes = int(float(project["budget_gpu_hours"]) * 60)
        made.append(["modify", "account", account, f"cluster={CLUSTER}", "set", f"GrpTRESMins=gres/gpu={minutes}"])
    made.append(["add", "account", PARENT, f"Cluster={CLUSTER}", "Description=demo", "Organization=demo"])
    if gateway is not None:
        level = "Operator" if operates else "None"
        made += [
            ["add", "account", NO_JOBS, f"Cluster={CLUSTER}", "Description=demo", "Organization=demo"],
            ["modify", "account", NO_JOBS, f"cluster={CLUSTER}", "set", "GrpSubmitJobs=0"],
            ["add", "user", gateway, f"Cluster={CLUSTER}", f"Account={NO_JOBS}"],
            ["modify", "user", gateway, "set", f"AdminLevel={level}"],  # an earlier start may have left another
            ["add", "coordinator", f"Account={PARENT}", f"Names={gateway}"],
        ]
    return made


def digest(wanted: list[list[str]]) -> str:
    """Tells whether the database was already given these."""
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


def load(wanted: list[list[str]], environment: Mapping[str, str]) -> None:
    """Run the commands; what is there already stays as it is."""
    for arguments in wanted:
        done = subprocess.run(
            ["/usr/bin/sacctmgr", "--immediate", "--quiet", *arguments],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = (done.stdout + done.stderr).strip()
        # Exit 1 with these words means there was nothing to do (sacctmgr has no --if-missing)
        if done.returncode and "already exist" not in said and "Nothing" not in said:
            raise FabricError(
                f"Slurm's database refused `sacctmgr {' '.join(arguments)}`: {said or done.returncode}.",
                reason="accounting",
                hint="Its log is log/slurmdbd.log in the run's directory.",
            )

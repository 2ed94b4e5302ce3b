"""The embedded cluster's accounts, users and budgets in Slurm's database."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping

from ..errors import FabricError
from .demo import PROJECTS, members
from .slurmconf import CLUSTER

ADD_CLUSTER = [["add", "cluster", CLUSTER]]


def commands(unix: Mapping[str, str]) -> list[list[str]]:
    """The sacctmgr arguments that make the demo's accounts: one account per project, its members, its budget.

    :param unix: the Unix account of every demo user. The hub's and the gateway's accounts are in none:
        Slurm refuses their own jobs, and gives them no right over anyone's.
    """
    names = ",".join(str(project["account"]) for project in PROJECTS.values())
    made = [["add", "account", names, f"Cluster={CLUSTER}", "Description=demo", "Organization=demo"]]
    for project in PROJECTS.values():
        account = str(project["account"])
        users = ",".join(sorted({unix[name] for name in members(project)}))
        made.append(["add", "user", users, f"Cluster={CLUSTER}", f"Account={account}"])
        minutes = int(float(project["budget_gpu_hours"]) * 60)
        made.append(["modify", "account", account, f"cluster={CLUSTER}", "set", f"GrpTRESMins=gres/gpu={minutes}"])
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

"""The doctor says of Slurm's accounts and the projects what is right, what the gateway lacks, and what is too much."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.cli import doctor_projects
from fabric_hub.config.settings import SlurmSettings

ENFORCED = "AccountingStorageEnforce = associations,limits,qos"
CONFIG = (
    "ClusterName = fabric\nPriorityDecayHalfLife = 00:00:00\nPriorityUsageResetPeriod = NONE\nSlurmUser = slurm(64030)"
)
COORDINATED = "fabric|gw\n"


def findings(
    directory: Path,
    *,
    config: str = f"{CONFIG}\n{ENFORCED}",
    account: str = COORDINATED,
    level: str = "None",
    health: Mapping[str, Any] | None = None,
    **settings: Any,
) -> list[tuple[str, str, str]]:
    """State, code and remedy of each line, where Slurm's clients answer so."""
    for name, script in {
        "scontrol": f"printf '%s\\n' {shlex.quote(config)}",
        "sacctmgr": f'case "$*" in *adminlevel*) echo {level};; *) printf %s {shlex.quote(account)};; esac',
    }.items():
        program = directory / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    slurm = SlurmSettings.model_validate({"bin_dir": directory, "parent_account": "fabric", **settings})
    found = doctor_projects.of_gateway(slurm, "gw", health or {})
    return [(one.state, one.about.code, str(one.remedy)) for one in found]


def test_a_coordinator_of_a_parent_that_is_there_is_right(tmp_path: Path) -> None:
    assert findings(tmp_path, health={"projects": {"left": 0, "drift": 0}}) == [
        ("OK", "doctor-projects-enforced", ""),
        ("OK", "doctor-projects-parent", ""),
        ("OK", "doctor-projects-coordinator", ""),
    ]


def test_a_parent_that_is_missing_and_a_gateway_that_is_no_coordinator_are_problems(tmp_path: Path) -> None:
    missing = findings(tmp_path, account="")[1:]
    assert missing == [
        ("PROBLEM", "follow-no-parent",
         "sacctmgr add account fabric; sacctmgr add coordinator account=fabric names=gw"),
    ]  # fmt: skip
    assert findings(tmp_path, account="fabric|somebody\n")[2] == (
        "PROBLEM",
        "doctor-projects-no-coordinator",
        "sacctmgr add coordinator account=fabric names=gw",
    )


@pytest.mark.parametrize("level", ["Operator", "Administrator"])
def test_more_than_a_coordinator_is_a_note_unless_it_gives_sessions_more_time(tmp_path: Path, level: str) -> None:
    state, code, remedy = findings(tmp_path, level=level)[2]
    assert (state, code) == ("NOTE", "doctor-projects-more")
    assert remedy.startswith("sacctmgr modify user gw set adminlevel=None")
    assert findings(tmp_path, level=level, extend="as-gateway")[2][0] == "OK"


def test_where_another_system_makes_accounts_the_gateway_needs_no_right(tmp_path: Path) -> None:
    assert len(findings(tmp_path, account="fabric|\n", projects="outside")) == 2


def test_slurms_own_user_needs_no_right(tmp_path: Path) -> None:
    config = f"{CONFIG.replace('slurm(', 'gw(')}\n{ENFORCED}"
    assert findings(tmp_path, config=config, account="fabric|\n")[2][0] == "OK"


@pytest.mark.parametrize("enforced", ["none", "associations", "associations,qos"])
def test_limits_that_nobody_is_held_to_are_a_problem(tmp_path: Path, enforced: str) -> None:
    first = findings(tmp_path, config=f"{CONFIG}\nAccountingStorageEnforce = {enforced}")[0]
    assert first[:2] == ("PROBLEM", "follow-not-enforced")


def test_use_that_slurm_forgets_is_a_note(tmp_path: Path) -> None:
    decays = CONFIG.replace("00:00:00", "14-00:00:00")
    assert findings(tmp_path, config=f"{decays}\n{ENFORCED}")[0][:2] == ("NOTE", "follow-decays")


def test_what_differs_is_told_with_where_to_look(tmp_path: Path) -> None:
    last = findings(tmp_path, health={"projects": {"left": 2, "drift": 1}})[-1]
    assert last == ("NOTE", "doctor-projects-differ", "see fabric-hub projects plan")

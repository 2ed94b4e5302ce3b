"""A session's token and key are its user's alone: not in Slurm's records, logs, arguments, or anybody else's files."""

from __future__ import annotations

import os
import pwd
import re
import stat
from pathlib import Path

import httpx
import pytest

from fabric_dev.processes import ancestors
from fabric_hub.sessions.store import Session
from tests.support.broken_site import BrokenSite
from tests.support.person import Person
from tests.support.session_process import environment_of, server_process
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]


def _tokens(site: BrokenSite, session: Session, env_json: str) -> list[str]:
    """Every secret that was given to a session."""
    found = re.findall(r'"(JUPYTERHUB_API_TOKEN|JPY_API_TOKEN|JUPYTERHUB_[A-Z_]*TOKEN)": *"([^"]+)"', env_json)
    assert found, "the session has been given a token"
    return sorted({token for _, token in found})


def _started_and_read(site: BrokenSite, person: Person) -> tuple[Session, list[str], Path]:
    """A session with the real launcher, and the secrets that the gateway wrote for it before it took them."""
    gone = site.run.slurm("scontrol", "update", "PartitionName=cpu", "State=DOWN")
    assert gone == ""
    try:
        site.hands.submit(person.start, "", project="proteins", profile="cpu", image="base")
        session = site.session_of(person)
        directory = site.run.home("researcher") / ".fabric-hub" / session.id
        text = (directory / "env.json").read_text()
        _only_the_users(directory, person)
        assert {path.name for path in directory.iterdir()} >= {"env.json", "ssl.key", "ssl.crt", "ssl-ca.crt"}
        secrets = _tokens(site, session, text)
        key = (directory / "ssl.key").read_text().splitlines()[1]
        _nowhere(site, session, [*secrets, key])
    finally:
        site.run.slurm("scontrol", "update", "PartitionName=cpu", "State=UP")
    return session, [*secrets, key], directory


def _only_the_users(directory: Path, person: Person) -> None:
    owner = directory.parent.stat().st_uid
    assert pwd.getpwuid(owner).pw_name.endswith(person.name)
    for path in (directory, *directory.rglob("*")):
        status = path.lstat()
        wanted = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (owner, wanted), path


def _nowhere(site: BrokenSite, session: Session, secrets: list[str]) -> None:
    """No secret is where anybody but the user and the hub could see it."""
    job = str(session.job_id)
    records = {
        "scontrol show job": site.run.slurm("scontrol", "show", "job", "-dd", job),
        "batch script": site.run.slurm("scontrol", "write", "batch_script", job, "-"),
        "sacct": site.run.slurm("sacct", "-X", "-P", "-j", job, "-o", "all"),
        "squeue": site.run.slurm("squeue", "-j", job, "-o", "%all"),
        "sacct's script": site.run.slurm("sacct", "-j", job, "--batch-script"),
        "sacct's environment": site.run.slurm("sacct", "-j", job, "--env-vars"),
    }
    for process in Path("/proc").glob("[0-9]*"):
        try:
            records[f"arguments of {process.name}"] = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
    for log in (site.run.directory / "log").glob("*"):
        records[str(log)] = log.read_text(errors="replace")
    for path in site.run.directory.rglob("*"):
        if path.is_file() and not path.is_symlink() and not path.is_relative_to(site.run.directory / "python"):
            if _others_reach(path, site.run.directory) or path.name == "session.log":
                records[str(path)] = path.read_bytes().decode(errors="replace")
            elif path.is_relative_to(site.run.directory / "spool"):
                # Slurm's own, closed to everybody: not even there
                records[str(path)] = path.read_bytes().decode(errors="replace")
    assert any("session.log" in name or "slurmctld" in name for name in records)
    for where, text in records.items():
        for secret in secrets:
            assert secret not in text, f"a secret of session {session.id} is in {where}"


def _others_reach(path: Path, top: Path) -> bool:
    """Whether an account without any right of ours could read a file."""
    if not path.stat().st_mode & 0o004:
        return False
    closed = [parent for parent in path.parents if parent.is_relative_to(top) and not parent.stat().st_mode & 0o001]
    return not closed


def _hub_knows(site: BrokenSite, token: str) -> str | None:
    """The user whom the hub takes a token's holder for."""
    answer = httpx.get(f"{site.address}/hub/api/user", headers={"Authorization": f"token {token}"}, timeout=30)
    return str(answer.json()["name"]) if answer.status_code == 200 else None


def test_a_sessions_secrets_are_its_users_alone_and_go_with_it(site: BrokenSite) -> None:
    person = site.person("researcher")
    session, secrets, directory = _started_and_read(site, person)
    token = secrets[0]
    person.until_ready()
    pid = server_process(session)
    assert _hub_knows(site, token) == person.name, "it is the token that the session uses"
    assert not set(secrets) & set(environment_of(pid).values()), "it was not in the environment that Slurm handed on"
    assert pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name == site.run.unix_name("researcher")
    assert not (directory / "env.json").exists(), "the launcher has taken it away"
    _only_the_users(directory, person)
    _nowhere(site, session, secrets)

    other = site.run.as_user("student1", "cat", f"/proc/{pid}/environ", str(directory / "ssl.key"))
    assert other.returncode != 0
    assert other.stdout == ""
    # what Slurm itself keeps with a job, its environment, holds no secret either
    shepherds = [process for process in ancestors(pid) if process != pid and process != os.getpid()]
    for process in shepherds:
        environment = environment_of(process)
        assert not set(secrets) & set(environment.values())

    assert person.stop().status_code in (202, 204)
    person.until_gone()
    until(lambda: session.job_id not in site.jobs(), "its job has ended", 60)
    until(lambda: {path.name for path in directory.glob("*")} <= {"session.log"}, "only its log is left", 30)
    assert _hub_knows(site, token) is None, "the token is worth nothing any more"

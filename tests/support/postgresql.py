"""A PostgreSQL server of a test's own, on a Unix socket; the kernel ends it when its parent ends."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@contextmanager
def server(beside: Path, user: str = "catalogue") -> Iterator[Path]:
    """Run one; the directory of its socket. Skips the test where PostgreSQL or its driver is not installed.

    :param beside: where it gets a directory of its own, which others can pass.
    :param user: the role to which its databases belong; it needs no password.
    """
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is an extra: fabric-hub[postgresql]")
    programs = PROGRAMS[-1].parent
    home = Path(tempfile.mkdtemp(prefix="postgresql-", dir=beside))
    become: list[str | Path] = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:  # the server refuses to be root
        owner = pwd.getpwnam("nobody")
        os.chown(home, owner.pw_uid, owner.pw_gid)
        become += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    data = home / "data"
    initialise: list[str | Path] = [programs / "initdb", "--no-sync", "--auth=trust", f"--username={user}", "-D", data]
    done = subprocess.run([*become, *initialise], capture_output=True, text=True, cwd=home, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={home}", "-c", "fsync=off"]
    argv = [*become, programs / "postgres", "-D", data, *options]
    with subprocess.Popen(argv, cwd=home, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                print(line, end="")
                if "ready to accept connections" in line:
                    home.chmod(0o755)  # accounts of daemons reach the socket
                    yield home
                    break
            else:
                pytest.fail("PostgreSQL ended before it was ready; its words are above")
        finally:
            process.send_signal(signal.SIGINT)  # its "fast" shutdown: it waits for no client
            print(process.stderr.read())


def url(home: Path, name: str = "postgres", user: str = "catalogue") -> str:
    """A database's URL."""
    return f"postgresql://{user}@/{name}?host={home}"


def create(home: Path, *names: str, user: str = "catalogue") -> None:
    """Make databases."""
    for name in names:
        argv: list[str | Path] = [PROGRAMS[-1].parent / "createdb", f"--host={home}", f"--username={user}", name]
        subprocess.run(argv, check=True, cwd="/")

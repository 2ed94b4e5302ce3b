"""Unix accounts for a test, real ones, and programs that run as one of them."""

from __future__ import annotations

import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unix_accounts(prefix: str, names: Sequence[str]) -> Iterator[None]:
    """Accounts ``PREFIX NAME`` without homes, gone after the block; as root."""
    made = [prefix + name for name in names]
    try:
        for account in made:
            _run("useradd", "--user-group", "--no-create-home", "--home-dir", "/", "--comment", "Fabric test", account)
        yield
    finally:
        for account in made:
            subprocess.run(["userdel", "--force", account], capture_output=True, check=False)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def as_account(account: str, *argv: str, umask: str = "022", cwd: Path | str = "/") -> subprocess.CompletedProcess[str]:
    """Run a program as an account, without any right of ours."""
    entry = pwd.getpwnam(account)
    return subprocess.run(
        ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups", "--no-new-privs",
         "--bounding-set=-all", "--inh-caps=-all", *argv],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(cwd)},
        cwd=cwd, umask=int(umask, 8), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

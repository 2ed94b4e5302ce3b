"""The process behind a session, as the kernel shows it to root."""

from __future__ import annotations

from pathlib import Path

from fabric_hub.sessions.store import Session


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def server_process(session: Session) -> int:
    """The process of a session's server, by the directory in its arguments."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--session-dir" in words and session.id.encode() in b" ".join(words):
            return int(process.name)
    raise AssertionError(f"no process of session {session.id}")

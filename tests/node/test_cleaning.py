"""An account that was given back is cleaned on a node: all that it left goes, and nothing of anybody else."""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_node import remains
from tests.support.scratch_node import ScratchNode, as_uid
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="processes of other uids need root")

OTHER = 61077  # a uid that nobody cleans
LIBC = ctypes.CDLL(None, use_errno=True)
# Forks without end, each child in a session of its own: what ends one by one never ends all.
BOMB = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
end = time.monotonic() + 120
while time.monotonic() < end:
    if not os.fork():
        os.setsid()
        os.utime(sys.argv[1])
    else:
        os._exit(0)
"""


@pytest.fixture
def account() -> Iterator[pwd.struct_passwd]:
    """A Unix account of this test's; nothing of it stays."""
    name = f"ftclean{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", "/nonexistent", name], check=True)
    entry = pwd.getpwnam(name)
    yield entry
    remains.clean(entry.pw_uid, name, TEMPORARY)
    subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")


def python(uid: int, source: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A program of a uid's that goes on."""
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return subprocess.Popen(
        [*become, "/usr/bin/python3", "-I", "-c", source, *arguments],
        cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def leave_traces(uid: int, mark: str) -> None:
    """Files in every place, IPC of every kind, keys, and a process that no job knows of."""
    source = f"""
import ctypes, os, pathlib
libc = ctypes.CDLL(None, use_errno=True)
for place in ("/tmp", "/var/tmp", "/dev/shm"):
    tree = pathlib.Path(place, "{mark}", "deep")
    tree.mkdir(parents=True)
    (tree / "data").write_text("secret")
    (tree.parent / "link").symlink_to("/etc")
    os.mkfifo(tree / "pipe")
    tree.chmod(0)
assert libc.shmget(0x7{uid:x}, 4096, 0o1600) >= 0
assert libc.msgget(0x7{uid:x}, 0o1600) >= 0
assert libc.semget(0x7{uid:x}, 1, 0o1600) >= 0
libc.syscall(248, b"user", b"{mark}", b"secret", 6, -4)
if os.fork() == 0:
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.execv("/bin/sleep", ["sleep", "600"])
"""
    done = as_uid(uid, "/usr/bin/python3", "-I", "-c", source)
    assert done.returncode == 0, done.stderr


def kinds(uid: int) -> dict[str, int]:
    return {kind: len(list(remains.shared(kind, uid))) for kind in ("shm", "msg", "sem")}


def there(mark: str) -> list[str]:
    return [place for place in TEMPORARY if os.path.lexists(f"{place}/{mark}")]


def test_all_that_an_account_left_goes_and_nothing_of_others(account: pwd.struct_passwd) -> None:
    uid, mark, theirs = account.pw_uid, f"ft-{os.getpid()}", f"ft-other-{os.getpid()}"
    leave_traces(uid, mark)
    leave_traces(OTHER, theirs)
    try:
        assert len(remains.processes(uid)) == 1
        assert kinds(uid) == {"shm": 1, "msg": 1, "sem": 1}
        tally = remains.clean(uid, account.pw_name, TEMPORARY)
        assert tally.problems == []
        # a process; in three places two directories, a file, a link and a pipe; three of IPC; a key
        assert tally.found == 1 + 3 * 5 + 3 + 1
        assert remains.processes(uid) == []
        assert kinds(uid) == {"shm": 0, "msg": 0, "sem": 0}
        assert there(mark) == []
        assert Path("/etc/passwd").exists()
        assert remains.clean(uid, account.pw_name, TEMPORARY).found == 0
        assert len(remains.processes(OTHER)) == 1
        assert kinds(OTHER) == {"shm": 1, "msg": 1, "sem": 1}
        assert there(theirs) == ["/tmp", "/var/tmp", "/dev/shm"]
    finally:
        assert remains.clean(OTHER, "nobody-of-this-test", TEMPORARY).problems == []


def test_a_process_that_forks_while_it_is_killed_is_killed(account: pwd.struct_passwd) -> None:
    """A look at /proc may see none of them: each lives for a moment only."""
    with tempfile.NamedTemporaryFile() as beats:
        os.chown(beats.name, account.pw_uid, account.pw_gid)
        bombs = [python(account.pw_uid, BOMB, beats.name) for _ in range(4)]
        for bomb in bombs:
            assert bomb.wait(30) == 0, "the first of each chain has forked and ended"
        first = os.stat(beats.name).st_mtime_ns
        until(lambda: os.stat(beats.name).st_mtime_ns > first, "they go on", 30)
        tally = remains.Tally()
        remains.kill(account.pw_uid, tally)
        assert tally.problems == []
        last = os.stat(beats.name).st_mtime_ns
        time.sleep(1)  # they beat some hundred times a second
        assert os.stat(beats.name).st_mtime_ns == last


def test_a_process_whose_first_thread_has_ended_is_seen_and_killed(account: pwd.struct_passwd) -> None:
    """It is shown as if it only waited for its parent, while its other thread goes on."""
    source = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(120,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    process = python(account.pw_uid, source)
    status = Path(f"/proc/{process.pid}/status")
    until(lambda: "State:\tZ" in (said := status.read_text()) and "Threads:\t1\n" not in said, "it hides", 30)
    assert process.pid in remains.processes(account.pw_uid)
    tally = remains.Tally()
    remains.kill(account.pw_uid, tally)
    assert (tally.found, tally.problems) == (1, [])
    assert process.wait(30) == -9


def test_the_killer_cannot_be_signalled_by_whom_it_kills(account: pwd.struct_passwd) -> None:
    """Its real and its saved uid are not theirs."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        LIBC.setresuid(ctypes.c_uint(remains._SHADOW), ctypes.c_uint(account.pw_uid), ctypes.c_uint(0))
        os.write(writing, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(reading, 1)
    done = as_uid(account.pw_uid, "kill", "-KILL", str(child))
    assert done.returncode != 0
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.kill(child, 9)
    os.waitpid(child, 0)


def test_a_tree_deeper_than_any_path_goes(account: pwd.struct_passwd, tmp_path: Path) -> None:
    place = tmp_path / "everybodys"
    place.mkdir()
    place.chmod(0o1777)
    for parent in place.parents:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(0o711)
    dig = "import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(1800):\n    os.mkdir('d')\n    os.chdir('d')\n"
    assert python(account.pw_uid, dig, str(place)).wait(60) == 0
    tally = remains.Tally()
    remains.files(str(place), account.pw_uid, tally)
    assert (tally.problems, list(place.iterdir())) == ([], [])


def test_its_home_is_left_to_the_gateway(account: pwd.struct_passwd, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "file").write_text("for the gateway")
    for path in (home, home / "file"):
        os.chown(path, account.pw_uid, -1)
    subprocess.run(["usermod", "--home", str(home), account.pw_name], check=True, capture_output=True)
    tally = remains.Tally()
    remains.files(str(tmp_path), account.pw_uid, tally)
    assert (tally.found, tally.problems, (home / "file").exists()) == (0, [], True)
    shutil.rmtree(home)


def test_what_others_put_into_its_directory_stays_and_is_told(account: pwd.struct_passwd, tmp_path: Path) -> None:
    place, tally = tmp_path / "everybodys", remains.Tally()
    (place / "open").mkdir(parents=True)
    (place / "open" / "theirs").write_text("somebody else's")
    (place / "open" / "own").write_text("its own")
    os.chown(place / "open", account.pw_uid, -1)
    os.chown(place / "open" / "own", account.pw_uid, -1)
    os.chown(place / "open" / "theirs", OTHER, -1)
    remains.files(str(place), account.pw_uid, tally)
    assert (place / "open" / "theirs").read_text() == "somebody else's"
    assert not (place / "open" / "own").exists()
    assert tally.problems == [f"{place}: 1 directories of its hold what is not its own"]
    shutil.rmtree(place)  # the next account may have the same uid


def test_a_file_with_another_name_elsewhere_is_told(account: pwd.struct_passwd, tmp_path: Path) -> None:
    place = tmp_path / "everybodys"
    place.mkdir()
    for name in ("one", "two"):
        (place / name).write_text(name)
        os.chown(place / name, account.pw_uid, -1)
    os.link(place / "one", place / "again")
    os.link(place / "two", tmp_path / "elsewhere")
    tally = remains.clean(account.pw_uid, account.pw_name, (str(place),))
    assert list(place.iterdir()) == []
    assert tally.problems == ["files: 1 have another name outside of the temporary directories"]


def test_a_mount_in_its_directory_is_not_entered(account: pwd.struct_passwd, tmp_path: Path) -> None:
    place, precious = tmp_path / "everybodys", tmp_path / "precious"
    for directory in (place, place / "own", place / "own" / "mounted", precious):
        directory.mkdir()
        os.chown(directory, account.pw_uid, -1)
    (precious / "file").write_text("kept")
    os.chown(precious / "file", account.pw_uid, -1)
    subprocess.run(["mount", "--bind", str(precious), str(place / "own" / "mounted")], check=True)
    try:
        tally = remains.Tally()
        remains.files(str(place), account.pw_uid, tally)
        assert (precious / "file").read_text() == "kept"
        assert tally.problems == [f"{place}: 1 directories of its hold what is not its own"]
    finally:
        subprocess.run(["umount", str(place / "own" / "mounted")], check=True)


def test_timers_and_lingering_go_by_the_accounts_name(account: pwd.struct_passwd) -> None:
    made = []
    for directory in ("/var/lib/systemd/linger", "/var/spool/cron/crontabs", "/var/spool/cron/atjobs"):
        missing = [path for path in (Path(directory), *Path(directory).parents) if not path.exists()]
        Path(directory).mkdir(parents=True, exist_ok=True)
        made += missing
    files = [
        Path("/var/lib/systemd/linger", account.pw_name),
        Path("/var/spool/cron/crontabs", account.pw_name),
        Path("/var/spool/cron/atjobs", f"a{os.getpid()}"),
    ]
    try:
        for file in files:
            file.write_text("@reboot true\n")
        os.chown(files[2], account.pw_uid, -1)
        tally = remains.clean(account.pw_uid, account.pw_name, ())
        assert (tally.found, tally.problems) == (3, [])
        assert not any(file.exists() for file in files)
    finally:
        for path in sorted(made, key=lambda path: -len(path.parts)):
            path.rmdir()


# -- the daemon


def reported(node: ScratchNode) -> Any:
    """What the daemon last told of what it cleaned."""
    files = list((node.directory / "published/events/agents").glob("[!.]*.json"))
    return json.loads(files[0].read_text()).get("cleaned") if files else None


@pytest.fixture
def bare(sandbox: Path) -> Iterator[ScratchNode]:
    """A node without datasets, where agents report."""
    directory = Path(tempfile.mkdtemp(prefix="node-", dir=sandbox))
    directory.chmod(0o755)
    made = ScratchNode(directory)
    (directory / "published/events/agents").mkdir()
    yield made
    made.remove()
    shutil.rmtree(directory)


def test_a_daemon_cleans_only_whom_document_and_configuration_name_and_says_so(
    bare: ScratchNode, account: pwd.struct_passwd
) -> None:
    uid, mark, theirs = account.pw_uid, f"ft-{os.getpid()}", f"ft-other-{os.getpid()}"
    bare.configure(pool_uids=[uid])
    leave_traces(uid, mark)
    leave_traces(OTHER, theirs)
    daemon = bare.serve()
    try:
        until(lambda: reported(bare) == [], "the daemon reports", 30)
        assert len(remains.processes(uid)) == 1  # in the pool, but the document says nothing
        bare.more["cleaning"] = [
            {"account": account.pw_name, "uid": uid, "round": 3},
            {"account": "somebody", "uid": OTHER, "round": 1},
        ]
        bare.publish()
        until(lambda: len(reported(bare) or ()) == 2, "the daemon has cleaned", 60, seen=bare.log)
        mine, other = sorted(reported(bare), key=lambda told: told["uid"] != uid)
        assert (mine["round"], mine["why"], mine["found"] > 10) == (3, "", True)
        assert other["why"] == f"uid {OTHER} is not one of pool_uids in {bare.directory}/node.json"
        assert (remains.processes(uid), len(remains.processes(OTHER)), there(mark)) == ([], 1, [])
        bare.more["cleaning"] = [{"account": account.pw_name, "uid": uid, "round": 4}]
        bare.publish()
        until(lambda: reported(bare) == [{"uid": uid, "round": 4, "found": 0, "why": ""}], "the next round", 60)
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
        remains.clean(OTHER, "nobody-of-this-test", TEMPORARY)


def test_a_uid_that_is_another_accounts_here_is_not_touched(bare: ScratchNode, account: pwd.struct_passwd) -> None:
    """node.json and the document agree on a uid by mistake: the name service knows it as a person's."""
    bare.configure(pool_uids=[account.pw_uid])
    sleeper = python(account.pw_uid, "import time; time.sleep(600)")
    daemon = bare.serve()
    try:
        bare.more["cleaning"] = [{"account": "ftsvc1", "uid": account.pw_uid, "round": 1}]
        bare.publish()
        until(lambda: reported(bare), "the daemon reports", 60, seen=bare.log)
        (told,) = reported(bare)
        assert told["why"] == f"uid {account.pw_uid} is not ftsvc1's here, but another account's"
        assert sleeper.poll() is None
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
        sleeper.kill()
        sleeper.wait(30)


def test_a_document_that_others_could_have_written_cleans_nobody(bare: ScratchNode, account: pwd.struct_passwd) -> None:
    bare.configure(pool_uids=[account.pw_uid])
    sleeper = python(account.pw_uid, "import time; time.sleep(600)")
    bare.more["cleaning"] = [{"account": account.pw_name, "uid": account.pw_uid, "round": 1}]
    bare.publish()
    os.chown(bare.directory / "published/grants.json", OTHER, -1)
    daemon = bare.serve()
    try:
        until(lambda: "is not trusted" in bare.log(), "the daemon refuses the document", 60, seen=bare.log)
        until(lambda: reported(bare) is not None, "the daemon reports", 60)
        assert (reported(bare), sleeper.poll()) == ([], None)
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
        sleeper.kill()
        sleeper.wait(30)


@pytest.mark.parametrize("uid", [0, 999, 65534, -1, 2**32 - 1, "1001", True, 1.5])
def test_a_pool_has_no_uid_of_the_system(bare: ScratchNode, uid: Any) -> None:
    bare.configure(pool_uids=[uid])
    done = subprocess.run(
        [sys.executable, "-m", "fabric_node", "--config", str(bare.directory / "node.json"), "check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "pool_uids" in done.stderr) == (2, True)

"""What the gateway does for accounts that were given back, as decisions; what it says of them in words."""

from __future__ import annotations

import json
import os
import pwd
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_hub.gateway.jobs import home_helper
from fabric_hub.gateway.leased_accounts import live, open_doors
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.leases import WantedDocument, as_content, read
from fabric_hub.slurm.associations import NO_LIMIT, AccountTree, Close, SlurmAccount
from fabric_hub.slurm.model import Job


def test_every_association_that_is_open_is_closed_and_no_other_person_s() -> None:
    tree = AccountTree(
        accounts={
            "a": SlurmAccount(users={"ftguest1": NO_LIMIT, "ada": NO_LIMIT}),
            "b": SlurmAccount(users={"ftguest1": 0}),
            "c": SlurmAccount(users={"ftguest1": 4}),
        }
    )
    assert open_doors("ftguest1", tree) == [
        Close(account="a", user="ftguest1", before=NO_LIMIT),
        Close(account="c", user="ftguest1", before=4),
    ]


def test_a_job_that_still_ends_is_not_over() -> None:
    states = {1: "PENDING", 2: "RUNNING", 3: "COMPLETING", 4: "COMPLETED", 5: "CANCELLED"}
    jobs = [Job(job_id=number, name="x", user="ftguest1", state=state) for number, state in states.items()]
    assert live(jobs) == [1, 2, 3]


# u::rwx, u:61001:rwx, g::r-x, m::rwx, o::---, as the kernel writes them (linux/posix_acl_xattr.h)
ACL_OF_ANOTHER = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", *entry)
    for entry in ((1, 7, 2**32 - 1), (2, 7, 61001), (4, 5, 2**32 - 1), (16, 7, 2**32 - 1), (32, 0, 2**32 - 1))
)


def emptied(home: Path) -> tuple[int, str, int]:
    argv = [sys.executable, "-I", "-S", "-c", Path(home_helper.__file__).read_text(), str(home)]
    said = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return said["left"], said["why"], said["found"]


def test_a_home_is_emptied_and_links_are_not_followed(tmp_path: Path) -> None:
    home, precious = tmp_path / "home", tmp_path / "precious"
    (home / "closed" / "deep").mkdir(parents=True)
    (home / "closed" / "deep" / "file").write_text("x")
    precious.mkdir()
    (precious / "file").write_text("kept")
    (home / "link").symlink_to(precious)
    (home / "closed").chmod(0)
    os.setxattr(home, "system.posix_acl_default", ACL_OF_ANOTHER)
    assert emptied(home) == (0, "", 4)
    assert "system.posix_acl_default" not in os.listxattr(home), "what is made here next is nobody else's"
    assert emptied(home) == (0, "", 0)
    assert (list(home.iterdir()), (precious / "file").read_text()) == ([], "kept")
    other = tmp_path / "link"
    other.symlink_to(precious)
    assert emptied(other) == (1, "it is a link, or no directory", 0)
    assert (precious / "file").exists()


def test_a_document_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(as_content(WantedDocument())))
    me = frozenset({os.geteuid()})
    assert read(path, WantedDocument, me) == WantedDocument()
    with pytest.raises(ValueError, match="who wrote it"):
        read(path, WantedDocument, frozenset({pwd.getpwnam("nobody").pw_uid}))
    path.chmod(0o666)
    with pytest.raises(ValueError, match="who wrote it"):
        read(path, WantedDocument, me)


@pytest.mark.parametrize(
    ("reason", "about", "words"),
    [
        (
            texts.ASSOCIATION_OPEN,
            {"slurm_account": "a", "words": "no"},
            "it may still submit in Slurm's account a: no.",
        ),
        (texts.JOBS_LEFT, {"jobs": ("1", "2")}, "jobs of its are still there: 1, 2."),
        (texts.SLURM_UNKNOWN, {"why": "no answer"}, "Slurm does not say whether it has jobs: no answer."),
        (texts.HOME_LEFT, {"why": "a mount"}, "its home cannot be emptied: a mount."),
        (texts.HOME_NOT_SAID, {}, "the gateway has not said that its home is empty."),
        (texts.NOT_OF_GATEWAY, {"why": "x"}, "the gateway does not act for it: x."),
        (texts.LEFT_POOLS, {}, "it is in no pool of the site's file any more."),
    ],
)
def test_what_keeps_an_account_from_being_free_is_said(reason: Reason, about: dict[str, object], words: str) -> None:
    assert reason(**about).say() == words

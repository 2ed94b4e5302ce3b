"""A home directory without a byte left: nobody is shut out of it, and whoever cleans up starts as before."""

from __future__ import annotations

import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest

from tests.support.broken_site import BrokenSite
from tests.support.person import Person, words
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.image]

FULL = "there is no space left, or your quota is used up"
OFFER = 'You can still open your files in a rescue session: profile rescue ("Rescue: save and clean up").'


@contextmanager
def _small_home(home: Path, owner: pwd.struct_passwd) -> Iterator[None]:
    """A file system of two megabytes in a home's place."""
    image = home.with_name("small-home.ext4")
    image.write_bytes(b"")
    os.truncate(image, 2 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", "-N", "32", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(home)], check=True)
    try:
        (home / "lost+found").rmdir()
        os.chown(home, owner.pw_uid, owner.pw_gid)
        home.chmod(0o700)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)
        image.unlink()


def _fill(site: BrokenSite, user: str) -> None:
    """Neither room for a byte, nor for one more file."""
    work = "cat /dev/zero > results.bin; while touch empty-$((number += 1)); do :; done"
    done = site.run.as_user(user, "sh", "-c", work)
    assert done.stderr.count("No space left on device") == 2, done.stderr


@pytest.fixture
def student(site: BrokenSite) -> Iterator[Person]:
    """A student with a home directory that is a small file system of its own."""
    person = site.person("student2").log_in()
    with _small_home(site.run.home("student2"), pwd.getpwnam(site.run.unix_name("student2"))):
        yield person
        site.clean()


def test_who_has_no_room_left_is_offered_a_rescue_session_cleans_up_and_starts_as_before(
    site: BrokenSite, student: Person
) -> None:
    home, uid = site.run.home("student2"), pwd.getpwnam(site.run.unix_name("student2")).pw_uid
    _fill(site, "student2")
    there = {path.name for path in home.iterdir()}
    student.start(profile="small", image="base")  # answered with the refusal, or before it is known
    student.until_gone()
    page = student.browser.get(f"/hub/spawn-pending/{student.name}")
    assert (page.status_code, FULL in words(page), OFFER in words(page)) == (409, True, True), words(page)
    button = re.search(r'form="fabric-rescue-form" name="(rescue)" value="([^"]+)"', page.text)
    form = re.search(r'<form id="fabric-rescue-form"[^>]* action="([^"]+)"', page.text)
    token = re.search(r'<form id="fabric-rescue-form".*?name="_xsrf" value="([^"]+)"', page.text, re.DOTALL)
    assert button and form and token, page.text  # noqa: PT018

    answer = student.browser.post(unescape(form[1]), data={button[1]: button[2], "_xsrf": unescape(token[1])})
    session = site.session_of(student)
    assert session.profile == "rescue", words(answer)
    student.until_ready()
    rescue = Path(site.settings.users.rescue_dir.replace("{user}", "student2"))
    for own in (rescue, rescue / session.id):
        status = own.lstat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o700, uid), own
    assert (rescue / session.id / "session.log").is_file()
    student.stop()
    student.until_gone()
    until(lambda: not list(rescue.iterdir()), "nothing of the rescue session is left", 30)

    student.start(profile="rescue", image="base")  # the button takes the project's first image
    student.until_ready()
    assert {path.name for path in home.iterdir()} == there
    header = {"Authorization": str(student.api.headers["Authorization"])}
    contents = f"/user/{student.name}/api/contents"
    listed = student.browser.get(contents, headers=header).json()["content"]
    assert {entry["name"] for entry in listed} == there
    # JupyterLab asks for them with each file that it opens, and Jupyter wants a directory for them
    checkpoints = student.browser.get(f"{contents}/results.bin/checkpoints", headers=header)
    assert (checkpoints.status_code, checkpoints.json()) == (200, []), checkpoints.text
    # a kernel is there too, to look into files before they go
    assert student.run_cell("import os; print(os.path.getsize('results.bin') > 0)") == "True\n"
    removed = student.browser.delete(f"{contents}/results.bin", headers=header)
    assert removed.status_code == 204, removed.text
    assert os.statvfs(home).f_bavail, "what was deleted is gone, and not in a trash"
    assert {path.name for path in home.iterdir()} == there - {"results.bin"} | {".ipynb_checkpoints"}
    site.run.as_user("student2", "sh", "-c", "rm empty-*")

    site.run.slurm("scancel", str(site.session_of(student).job_id))  # as its time limit does
    student.until_gone()
    until(lambda: not list(rescue.iterdir()), "nothing of the rescue session is left", 30)
    assert student.start(profile="small", image="tiny").status_code in (201, 202)
    student.until_ready()
    assert (home / ".fabric-hub" / site.session_of(student).id).is_dir()

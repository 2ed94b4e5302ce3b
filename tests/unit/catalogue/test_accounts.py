"""Whose the catalogue service is: who may run it, connect to it, and read or write what it keeps."""

from __future__ import annotations

import pytest

from tests.support.catalogue_process import HUB, MEMBER, NEEDS_OTHERS, OUTSIDER, Daemon, as_operator, run_as

pytestmark = NEEDS_OTHERS

KEEP = "import sys; from fabric_hub.catalogue.__main__ import main; sys.exit(main(['--site', sys.argv[1]]))"


@pytest.mark.root
@pytest.mark.parametrize(("name", "answer"), [(HUB, "answers"), (OUTSIDER, "denied"), (MEMBER, "denied")])
def test_only_the_hubs_account_can_connect(daemon: Daemon, name: str, answer: str) -> None:
    code = f"""
import socket
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect({str(daemon.datasets.socket)!r})
        print("answers")
    except OSError as error:
        print(error)
"""
    assert answer in run_as(name, "-c", code).stdout


@pytest.mark.root
@pytest.mark.parametrize("name", [HUB, MEMBER, OUTSIDER])
def test_nobody_but_the_catalogue_service_reads_or_writes_what_is_its(daemon: Daemon, name: str) -> None:
    daemon.offer()
    code = f"""
import glob, os
top = {str(daemon.directory)!r}
print(glob.glob(top + "/state/*"), glob.glob(top + "/state/audit/*"), glob.glob(top + "/published/events/*"))
for path, mode in (("published/grants.json", os.R_OK), ("published/grants.json", os.W_OK), ("published", os.W_OK),
                   ("store", os.W_OK), ("state/catalogue.sqlite", os.R_OK)):
    print(os.access(top + "/" + path, mode))
"""
    assert run_as(name, "-c", code).stdout.splitlines() == ["[] [] []", *["False"] * 5]


def test_the_names_of_the_datasets_are_nobodys_to_list(daemon: Daemon) -> None:
    daemon.stop()
    daemon.datasets.store.chmod(0o755)  # as sites were told to make it
    daemon.start()
    assert daemon.datasets.store.stat().st_mode & 0o777 == 0o700


@pytest.mark.root
def test_it_never_runs_as_root_or_as_somebody_else(daemon: Daemon) -> None:
    for done in (
        as_operator(KEEP, daemon.site),
        run_as(OUTSIDER, "-m", "fabric_hub.catalogue", "--site", str(daemon.site)),
    ):
        assert done.returncode == 1
        assert "its account is daemon" in done.stderr

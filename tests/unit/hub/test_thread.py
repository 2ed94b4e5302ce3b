"""What JupyterHub's only thread is spared: JupyterHub itself runs here as it is installed."""

from __future__ import annotations

import asyncio
import inspect
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import jupyterhub.user
import pytest
from certipy import Certipy
from jupyterhub.user import User

from fabric_hub.config.settings import Settings
from fabric_hub.hub.patches import thread as hub_thread
from fabric_hub.hub.spawner import runtime


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is adapted in the process is put back."""
    for module, name in ((runtime, "_settings"), (runtime, "_runtime")):
        monkeypatch.setattr(module, name, None)
    monkeypatch.setattr(jupyterhub.user, "make_ssl_context", jupyterhub.utils.make_ssl_context)
    monkeypatch.setattr(User, "spawn", getattr(User.spawn, "__wrapped__", User.spawn))


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    """A key, its certificate and its authority, as JupyterHub makes them at its first start."""
    certipy = Certipy(store_dir=str(tmp_path))
    certipy.create_ca("authority")
    certipy.create_signed_pair("hub", "authority")
    of_hub, of_authority = (certipy.store.get_files(name) for name in ("hub", "authority"))
    return str(of_hub.key.file_path), str(of_hub.cert.file_path), str(of_authority.cert.file_path)


def test_all_starts_share_one_context_which_is_jupyterhubs(files: tuple[str, str, str]) -> None:
    key, certificate, authority = files
    hub_thread.share_tls_context()
    make = jupyterhub.user.make_ssl_context
    made = make(key, certificate, cafile=authority)
    assert made is make(key, certificate, cafile=authority)
    theirs = jupyterhub.utils.make_ssl_context(key, certificate, cafile=authority)
    for name in ("verify_mode", "check_hostname", "protocol", "options", "minimum_version"):
        assert getattr(made, name) == getattr(theirs, name), name
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert set(map(str, made.get_ca_certs())) == set(map(str, theirs.get_ca_certs()))


def test_a_pair_that_is_replaced_makes_a_new_context(files: tuple[str, str, str]) -> None:
    key, certificate, authority = files
    before = hub_thread.shared_context(key, certificate, cafile=authority)
    copy = Path(certificate + ".new")
    copy.write_bytes(Path(certificate).read_bytes())
    copy.replace(certificate)
    assert hub_thread.shared_context(key, certificate, cafile=authority) is not before


def test_without_internal_tls_there_is_no_context() -> None:
    assert hub_thread.shared_context("", "", cafile="") is None


def test_what_it_does_not_know_is_left_to_jupyterhub(files: tuple[str, str, str]) -> None:
    key, certificate, authority = files
    server = hub_thread.shared_context(key, certificate, cafile=authority, purpose=ssl.Purpose.CLIENT_AUTH)
    assert server is not None
    assert not server.check_hostname
    with pytest.raises(OSError, match="No such file"):
        hub_thread.shared_context(key + ".gone", certificate, cafile=authority)


def test_a_jupyterhub_that_makes_its_context_otherwise_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def another() -> None: ...

    monkeypatch.setattr(jupyterhub.user, "make_ssl_context", another)
    hub_thread.share_tls_context()
    assert jupyterhub.user.make_ssl_context is another


@pytest.fixture
def begun(site: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The starts that JupyterHub has begun; only the beginning is its own here."""
    numbers: list[int] = []

    async def spawn(_user: User, number: int) -> int:
        numbers.append(number)
        return number

    spawn.__module__ = User.__module__
    monkeypatch.setattr(User, "spawn", spawn)
    runtime.install(site)
    yield numbers
    runtime.runtime().store.close()


async def test_jupyterhub_begins_one_start_at_a_time(begun: list[int]) -> None:
    hub_thread.start_in_turn()
    starts = [asyncio.create_task(User.spawn(None, number)) for number in range(3)]
    at_once = 0
    while len(begun) < 3:
        before = len(begun)
        await asyncio.sleep(0)
        at_once = max(at_once, len(begun) - before)
    assert at_once == 1
    assert await asyncio.gather(*starts) == begun == [0, 1, 2]


def test_it_is_done_once(begun: list[int]) -> None:
    hub_thread.start_in_turn()
    first = User.spawn
    hub_thread.start_in_turn()
    assert User.spawn is first
    assert not begun


def test_jupyterhub_has_what_is_adapted() -> None:
    assert inspect.iscoroutinefunction(User.spawn)
    assert jupyterhub.user.make_ssl_context is jupyterhub.utils.make_ssl_context
    assert "make_ssl_context(key, cert, cafile=ca)" in inspect.getsource(User._wait_up)
    assert os.path.basename(inspect.getsourcefile(User.spawn) or "") == "user.py"

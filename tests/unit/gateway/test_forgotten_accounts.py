"""A name service that forgets an account for a moment refuses nothing that is on record, and ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.service import Gateway
from fabric_hub.slurm.model import CancelRequest, JobSpec, SubmitRequest
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import accounts
from tests.support.builders import SESSION, a_site


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """One that asks nobody: the name service knows no account."""

    def forgotten(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("pwd.getpwnam", forgotten)
    return Gateway(a_site(tmp_path))


def request(**changes: object) -> SubmitRequest:
    spec = JobSpec(account="phys", partition="cpu", cpus=2, memory_mb=4096, minutes=60)
    fields = {"session": SESSION, "user": "jan", "image": "base", "spec": spec}
    return SubmitRequest.model_validate({**fields, **changes})


async def test_a_session_that_may_be_there_is_not_refused_but_unknown_for_now(gateway: Gateway) -> None:
    with pytest.raises(SlurmUnavailableError) as unknown:
        await gateway.submit(request(again=True))
    assert unknown.value.message == (
        "There is no Unix account jan on this cluster for jan. "
        "There was one before, so this is taken for trouble of the name service."
    )
    assert "getent passwd" in unknown.value.hint
    with pytest.raises(SlurmUnavailableError):
        await gateway.find(SESSION, "jan", 7)
    with pytest.raises(SlurmUnavailableError):
        await gateway.cancel(CancelRequest(session=SESSION, user="jan"))


async def test_who_never_had_an_account_is_refused(gateway: Gateway) -> None:
    with pytest.raises(FabricError, match="There is no Unix account jan on this cluster") as refused:
        await gateway.submit(request())
    assert (refused.value.status, refused.value.reason) == (403, "account")


async def test_an_account_that_this_process_has_seen_is_not_refused_either(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as known:
        known.setattr(accounts, "resolve", lambda user, users: None)
        await gateway._account("jan")
    with pytest.raises(SlurmUnavailableError):
        await gateway.submit(request())

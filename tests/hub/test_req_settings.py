"""A site that comes from batchspawner: its settings and its hook are in the one job of a start, and on its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.slurm.limits.model import GPU, Association, Limits, PartitionLimits
from fabric_hub.slurm.model import JobSpec
from tests.support.person import Person, words
from tests.support.small_site import PROFILES, UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

CONFIGURATION = """
c.SlurmSpawner.req_partition = "gpu"
c.BatchSpawnerBase.req_memory = "1gb"
c.FabricSlurmSpawner.req_ngpus = "2"

def by_profile(spawner):
    if spawner.choice.profile == "plain":
        spawner.req_qos = "plain-ones"

c.Spawner.pre_spawn_hook = by_profile
"""


@pytest.fixture(scope="module")
def _moved(sandbox: Path) -> Iterator[SmallSite]:
    profiles = {**PROFILES, "plain": {"max_hours": 8}}
    with SmallSite(sandbox / "moved", CONFIGURATION, profile=profiles) as site:
        yield site


@pytest.fixture
def site(_moved: SmallSite) -> Iterator[SmallSite]:
    """A hub with settings of batchspawner's."""
    _moved.reset()
    yield _moved
    _moved.gateway.call(lambda fake: fake.set_limits(Limits()))


def test_settings_and_hook_are_in_the_job_and_its_gpus_on_record_and_the_next_hub_adopts_it(
    site: SmallSite, person: Person
) -> None:
    page = person.log_in().browser.get(f"/hub/spawn/{person.name}")
    assert "2 GPUs · 1 core · 1 GB memory" in words(page), "the form shows what is known before a start"
    person.start(profile="plain", hours=2)
    person.until_ready()
    (request,) = site.requests_of(person)
    assert request.spec == JobSpec(
        partition="gpu", account="twin-acc", qos="plain-ones", cpus=1, memory_mb=1024, gres=("gpu:2",), minutes=120
    )
    session = site.ready_session_of(person)
    assert (session.account, session.hours, session.gpus) == ("twin-acc", 2.0, 2)

    site.kill()
    site.up()
    person.until_ready()
    assert site.session_of(person) == session
    assert site.requests_of(person) == [request], "nothing was submitted again"

    person.stop()
    person.until_gone()
    person.start(profile="small")
    person.until_ready()
    assert site.requests_of(person)[-1].spec.qos is None, "what a hook sets is for one start"


def test_a_limit_of_what_the_settings_ask_for_refuses_before_anything_is_submitted(
    site: SmallSite, person: Person
) -> None:
    unix_name = UNIX_PREFIX + person.name
    user = {"account": "twin-acc", "user": unix_name, "parent": "twin-acc", "max_tres_per_job": {GPU: 1}}
    associations = (Association(account="twin-acc"), Association.model_validate(user))
    limits = Limits(associations=associations, partitions=(PartitionLimits(name="gpu"),))
    site.gateway.call(lambda fake: fake.set_limits(limits))
    person.log_in()
    told = f"{unix_name} in account twin-acc allows a job at most 1 GPU, not 2."

    def shown() -> bool:
        return f"Not now: {told}" in words(person.browser.get(f"/hub/spawn/{person.name}"))

    until(shown, "the form tells the limit that the hub has heard of")
    refused = person.start(profile="plain")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith(told)
    assert site.requests_of(person) == []
    assert site.store.live(person.name, "") is None

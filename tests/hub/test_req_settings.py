"""A site that comes from batchspawner: its settings and its hook are in the one job of a start, and on its record.

Its hub has the database of the old one, which JupyterHub 4.1 with batchspawner's SlurmSpawner and wrapspawner's
ProfilesSpawner has written: two people, a token of each, a server of either spawner.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fabric_hub.slurm.limits.model import GPU, Association, Limits, PartitionLimits
from fabric_hub.slurm.model import JobSpec
from tests.support.person import Person, words
from tests.support.small_site import PROFILES, ROOT, UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

OLD_DATABASE = Path(__file__).with_name("old_hub_4.1.sql")
OLD_TOKENS = {"person58": "of-the-old-hub-person58-abcdef", "person59": "of-the-old-hub-0123456789abcdef"}

CONFIGURATION = """
c.SlurmSpawner.req_partition = "gpu"
c.BatchSpawnerBase.req_memory = "1gb"
c.FabricSlurmSpawner.req_ngpus = "2"

c.SlurmSpawner.req_runtime = "0:45:00"
c.Spawner.start_timeout = 1  # of the old hub: here it would throw people out of the queue
c.SlurmSpawner.environment = {"FABRIC_SITE": "north"}

def by_profile(spawner):
    if spawner.choice.profile == "plain":
        spawner.req_qos = "plain-ones"
    if spawner.choice.profile == "long":
        spawner.req_runtime = "3:00:00"
        spawner.req_nprocs = str(2 * int(spawner.req_ngpus))
    if spawner.choice.profile == "scripted":
        spawner.batch_script = "#!/bin/bash"

c.SlurmSpawner.pre_spawn_hook = by_profile
"""


def hub_command(site: SmallSite, *arguments: str) -> str:
    """What a command of JupyterHub says, with this site's configuration."""
    done = subprocess.run(
        [sys.executable, "-m", "jupyterhub", *arguments, "-f", str(ROOT / "jupyterhub_config.py")],
        env={
            **os.environ,
            "FABRIC_HUB_SITE": str(site.directory / "site.toml"),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # JupyterHub starts alembic by its name
        },
        cwd=site.state,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def _moved(sandbox: Path) -> Iterator[SmallSite]:
    own = ("plain", "long", "scripted")
    profiles = {**PROFILES, **{name: {"max_hours": 8} for name in own}}
    site = SmallSite(sandbox / "moved", CONFIGURATION, profile=profiles)
    with closing(sqlite3.connect(site.state / "jupyterhub.sqlite")) as database:
        database.executescript(OLD_DATABASE.read_text())
    hub_command(site, "upgrade-db")
    with site:
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


def test_the_old_hubs_database_keeps_people_and_tokens_and_its_servers_are_over(site: SmallSite) -> None:
    assert list(site.state.glob("jupyterhub.sqlite.*")), "the old one is kept beside it"
    for name, token in OLD_TOKENS.items():
        bearer = {"Authorization": f"token {token}"}
        answer = site.http.get("/hub/api/user", headers=bearer)
        assert (answer.status_code, answer.json().get("name")) == (200, name)
    for name in OLD_TOKENS:  # whose old server JupyterHub asks after once it runs

        def over(name: str = name) -> bool:
            return bool(site.admin_api("GET", f"/users/{name}").json()["servers"] == {})

        until(over, f"the old server of {name} is over")
    old = site.person("person59")
    old.log_in()
    old.start(profile="small")
    old.until_ready()
    assert [request.spec.cpus for request in site.requests_of(old)] == [2]
    assert site.http.get("/hub/api/user", headers={"Authorization": f"token {OLD_TOKENS['person59']}"}).is_success
    old.stop()
    old.until_gone()


def test_a_hook_sets_the_time_of_one_start_and_reads_what_the_configuration_says(
    site: SmallSite, person: Person
) -> None:
    person.log_in()
    person.start(profile="long", hours=1)
    person.until_ready()
    (request,) = site.requests_of(person)
    assert (request.spec.minutes, request.spec.cpus) == (180, 4)
    assert request.environment["FABRIC_SITE"] == "north"


def test_a_hook_that_sets_what_has_no_effect_refuses_the_start_in_words(site: SmallSite, person: Person) -> None:
    person.log_in()
    refused = person.start(profile="scripted")
    assert refused.status_code == 500
    assert refused.json()["message"].startswith("A hook of this site sets batch_script, which has no effect here.")
    assert site.requests_of(person) == []


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

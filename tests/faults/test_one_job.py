"""One click or two, sound options or hostile ones: one job, and nothing in Slurm that a user wrote."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fabric_hub.slurm.model import JOB_NAME
from tests.support.broken_site import BrokenSite
from tests.support.person import Person
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]

SMALL = {"project": "proteins", "profile": "small", "image": "tiny"}


def test_a_double_click_and_two_tabs_make_one_job(site: BrokenSite) -> None:
    person = site.person("researcher").log_in()
    starts = [site.hands.submit(person.start, "", **SMALL) for _ in range(2)]
    starts += [site.hands.submit(person.form, "", **SMALL), site.hands.submit(person.start_from_url, "", **SMALL)]
    statuses = [start.result(60).status_code for start in starts]
    person.until_ready()
    assert all(status < 500 for status in statuses), statuses
    assert len(site.jobs()) == 1
    session = site.session_of(person)
    assert site.jobs_of(session) == [session.job_id]
    assert [item.id for item in site.live()] == [session.id]


# What somebody could write to reach a shell, an #SBATCH line, a path, a record of Slurm's, or a page.
HOSTILE = [
    "; touch /tmp/owned", "$(touch /tmp/owned)", "`id`", "a\n#SBATCH --uid=0", "--uid=0", "-Aroot", "base --wrap=id",
    "../../etc", "/etc/passwd", "tiny/../base", "%x", "{user}", "{0.__class__}", "<script>alert(1)</script>", "'", '"',
    "root", "normal", "proteins,bakery", "proteins\x00", "TINY", "tiny ", "small\r", "\ud800", "é", "😀", "x" * 100_000,
]  # fmt: skip
NAMES = ["project", "profile", "image", "hours", "datasets"]
ATTRIBUTES = [
    "exec_prefix", "batch_script", "req_options", "req_prologue", "cmd", "environment", "env_keep", "child_config",
    "job_name", "comment", "account", "partition", "user", "session", "__class__", "api_token",
]  # fmt: skip

scalars = (
    st.sampled_from(HOSTILE) | st.text(max_size=40) | st.integers() | st.floats() | st.booleans() | st.none()
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
hostile_value = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, values)).filter(bool)
names = st.sampled_from(ATTRIBUTES) | st.text(min_size=1, max_size=30)
unknown_name = st.dictionaries(names, values, min_size=1, max_size=4)
no_object = st.lists(values, min_size=1, max_size=3) | st.sampled_from([7, True, "text", "; id"])
option_sets = (
    st.tuples(st.just(SMALL), hostile_value).map(lambda pair: {**pair[0], **pair[1]})
    | st.tuples(st.just(SMALL), unknown_name).map(lambda pair: {**pair[0], **pair[1]})
    | hostile_value
    | no_object
)


@pytest.mark.timeout(300)
def test_five_hundred_hostile_option_sets_are_refused_with_a_reason_or_valid(site: BrokenSite) -> None:
    # what others left on this cluster, or could not tell while its database was away, is no matter of this test
    since = site.run.slurm("date", "+%Y-%m-%dT%H:%M:%S")
    person = site.person("researcher")
    seen: Counter[int] = Counter()
    wrong: list[str] = []

    @settings(
        max_examples=500, deadline=None, database=None, phases=[Phase.generate], derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(option_sets)
    def send(options: Any) -> None:
        body = json.dumps({"user_options": options})  # NaN and Infinity too: the hub's parser takes them
        answer = person.api.post(f"/users/{person.name}/server", content=body)
        seen[answer.status_code] += 1
        if answer.status_code in (201, 202):
            _accepted(site, person)
        elif not 400 <= answer.status_code < 500 or not answer.json().get("message"):
            wrong.append(f"{answer.status_code} {answer.text[:200]} for {str(options)[:200]!a}")

    send()
    print(f"answers: {dict(seen)}")
    assert wrong == []
    assert sum(seen.values()) >= 500
    _slurm_has_no_text_of_users(site, since)


def _accepted(site: BrokenSite, person: Person) -> None:
    """Whatever was accepted is a session of known names, and goes."""
    session = site.session_of(person)
    assert session.project in site.settings.project
    assert session.profile in site.settings.profile
    assert session.image in site.settings.image
    person.stop()
    person.until_gone()


def _slurm_has_no_text_of_users(site: BrokenSite, since: str) -> None:
    fields = "JobName,State,Account,Partition,QOS,User,Comment,Constraints,Reservation,WorkDir,SubmitLine"
    until(lambda: not site.jobs(), "no job is left", 60)

    def told() -> list[str]:
        """Slurm's database hears of a job's comment with its end."""
        lines = site.run.slurm("sacct", "-X", "-a", "-n", "-P", "-S", since, "-o", fields).splitlines()
        return [] if any(line.split("|")[1] in ("PENDING", "RUNNING") for line in lines) else lines

    for line in until(told, "the database has heard of the end of every job", 60):
        name, _, account, partition, qos, user, comment, features, reservation, directory, submitted = line.split("|")
        if not JOB_NAME.fullmatch(name):
            assert name in ("my-work", "sbatch", "wrap"), line  # jobs that tests submitted by hand
            continue
        assert account in {project.account for project in site.settings.project.values()}
        assert partition in ("cpu", "gpu")
        assert qos == "normal"
        assert user in {site.run.unix_name(person) for person in site.run.logins}
        assert re.fullmatch(r"fabric-session=[0-9a-f]{32}", comment), "the gateway's own mark, and nothing else"
        assert (features, reservation) == ("", "")
        assert directory in {str(site.run.home(person)) for person in site.run.logins}
        ours = submitted.replace(" --signal=B:USR1@120 ", " ", 1)
        assert re.fullmatch(r"[A-Za-z0-9 _/=.:%-]+", ours), submitted


def test_a_body_that_is_no_json_object_is_refused_by_the_hub(site: BrokenSite) -> None:
    person = site.person("researcher")
    for body in (b"{", b"\xff\xfe", b'{"user_options": {"image": NaN, "x": 1}}', b"[" * 20_000):
        answer = person.api.post(f"/users/{person.name}/server", content=body)
        assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
        assert person.servers() == {}

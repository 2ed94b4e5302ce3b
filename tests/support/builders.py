"""What unit tests are made of: sites' files, and sessions, jobs, nodes and snapshots with every field in order."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from fabric_hub.config.settings import Settings, parse
from fabric_hub.datasets.model import Acceptance, Catalogue, Dataset, Grant
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Node, Snapshot

NOW = 1_790_000_000.0
TODAY = date(2026, 11, 21)
SESSION = "abcdefghijkl"


def site_text(directory: Path, more: str = "") -> str:
    """A small site with Slurm: two profiles on Slurm, one local, two images, three projects."""
    return f"""\
[hub]
state_dir = "{directory}"
internal_ssl = false

[slurm]

[images]
dir = "{directory}/images"

[image.base]
title = "Base"

[image.torch]

[profile.cpu]
title = "Small"
cpus = 2
memory = "4G"
partition = "cpu"

[profile.gpu]
gpus = 1
gpu_type = "h200"
cpus = 8
default_hours = 2
max_hours = 4

[profile.here]
kind = "local"

[project.physics]
title = "Physics"
account = "phys"
members.owner = ["ada"]
members.member = ["jan", "eve"]

[project.course]
kind = "course"
account = "teach"
members.member = ["eve"]
profiles = ["gpu"]
images = ["torch"]

[project.past]
account = "old"
members.member = ["bob"]
end = 2026-01-31
{more}"""


def least_site_text(directory: Path, more: str = "") -> str:
    """What every site's file has to have, in four lines, and more sections."""
    return f'[hub]\nstate_dir = "{directory}"\n[images]\ndir = "{directory}"\n{more}'


def catalogue_text(directory: Path, account: str) -> str:
    """The section of a catalogue service that runs as an account and has all its directories below one."""
    return f"""\
[catalogue]
account = "{account}"
state_dir = "{directory}/state"
store = "{directory}/store"
published = "{directory}/published"
"""


def a_site(directory: Path, more: str = "") -> Settings:
    return parse(site_text(directory, more))


def fields_of_a_session(**changes: Any) -> dict[str, Any]:
    """What the store is given for a new session of jan in project physics."""
    return {
        "user": "jan",
        "server_name": "",
        "kind": "slurm",
        "project": "physics",
        "account": "phys",
        "profile": "cpu",
        "image": "base",
        "hours": 1.0,
        **changes,
    }


def a_session(**changes: Any) -> Session:
    """A session that was submitted as job 7 at NOW."""
    fields = {"id": SESSION, "created_at": NOW - 1, "submitted_at": NOW, "job_id": 7}
    return Session.model_validate(fields_of_a_session(**{**fields, **changes}))


def a_job(**changes: Any) -> Job:
    """Job 7, running as jan, under the name of the session above."""
    fields = {"job_id": 7, "name": f"fabric-main-{SESSION}", "user": "jan", "state": "RUNNING", "submitted_at": NOW}
    return Job.model_validate({**fields, **changes})


def a_node(**changes: Any) -> Node:
    """A free node with two H200 GPUs."""
    fields = {
        "name": "gpu1",
        "address": "10.0.0.1",
        "partitions": ("gpu",),
        "cpus": 16,
        "cpus_free": 16,
        "memory_mb": 64_000,
        "memory_free_mb": 64_000,
        "gpus": {"h200": 2},
        "gpus_free": {"h200": 2},
    }
    return Node.model_validate({**fields, **changes})


def a_snapshot(*jobs: Job, **changes: Any) -> Snapshot:
    """A snapshot that Slurm was asked for a minute after NOW."""
    fields = {"serial": 1, "now": NOW + 61, "jobs_at": NOW + 60, "nodes_at": NOW + 60, "jobs": jobs}
    return Snapshot.model_validate({**fields, **changes})


def a_dataset(name: str = "wind-farm", **changes: Any) -> Dataset:
    """A published, restricted dataset with an agreement and two purposes."""
    fields = {
        "name": name,
        "title": "Wind farm",
        "description": "Power of twelve turbines.",
        "contact": {"name": "Data desk", "email": "data@energy.example"},
        "licence": "https://creativecommons.org/licenses/by/4.0/",
        "access": "restricted",
        "themes": ("ENER",),
        "keywords": ("turbine",),
        "personal_data": "none",
        "purposes": ({"name": "research", "text": "Research"}, {"name": "teaching", "text": "Teaching"}),
        "agreement": {"version": "1", "text": "Do no harm."},
        "versions": (
            {
                "version": "2024", "kind": "image", "path": "/srv/fabric/datasets/secret-place.sqfs",
                "sha256": "a" * 64, "bytes": 1_234_567, "files": 3, "created_at": NOW, "published_at": NOW,
            },
        ),
        "latest": "2024",
        "published_at": NOW,
    }  # fmt: skip
    return Dataset.model_validate({**fields, **changes})


def a_catalogue(*datasets: Dataset, granted: str = "physics", accepted: str = "", **changes: Any) -> Catalogue:
    """Datasets that a project is granted, and of which jan has accepted a version of the agreement (for research)."""
    fields: dict[str, Any] = {
        "serial": 1,
        "now": NOW,
        "datasets": datasets,
        "grants": tuple(Grant(dataset=one.name, project=granted) for one in datasets if granted),
        "acceptances": tuple(
            Acceptance(user="jan", project="physics", dataset=one.name, agreement=accepted, purpose="research")
            for one in datasets
            if accepted
        ),
    }
    return Catalogue.model_validate({**fields, **changes})

"""The people, projects and profiles of the embedded run. Pure data.

The names are those of the tutorial; the Slurm accounts are named after the projects.
"""

from __future__ import annotations

from typing import Any

ACCOUNTS = ("researcher", "student1", "student2", "trainer", "staff", "operator")
ADMIN = "operator"

PROJECTS: dict[str, dict[str, Any]] = {
    "proteins": {
        "title": "Protein folding",
        "kind": "research",
        "account": "proteins",
        "members": {"owner": ["researcher"], "member": ["trainer", "staff"]},
        "budget_gpu_hours": 100,
    },
    "ml-course": {
        "title": "Machine learning course",
        "kind": "course",
        "account": "ml-course",
        "members": {"owner": ["trainer"], "member": ["student1", "student2"]},
        "budget_gpu_hours": 50,
    },
    "bakery": {
        "title": "Bread forecast for a client",
        "kind": "client",
        "account": "bakery",
        "members": {"owner": ["staff"]},
        "budget_gpu_hours": 20,
    },
}

# For people whose budget is used up: no GPU, so a budget of GPU hours does not touch it.
RESCUE = "rescue"

LOCAL_PROFILE: dict[str, Any] = {
    "title": "This machine, without Slurm",
    "kind": "local",
    "default_hours": 1,
    "max_hours": 8,
}


def profiles(gpu_type: str, most_gpus: int) -> dict[str, dict[str, Any]]:
    """The demo profiles.

    :param gpu_type: Slurm's type name of the GPUs.
    :param most_gpus: GPUs of the best node: a profile that asks for more could never start and is left out.
    """
    gpu = {"partition": "gpu", "gpu_type": gpu_type, "default_hours": 1, "max_hours": 8}
    offered: dict[str, dict[str, Any]] = {
        "cpu": {"title": "CPU only", "partition": "cpu", "cpus": 2, "memory": "4G", "default_hours": 1, "max_hours": 8},
        "gpu-1": {"title": "One GPU", **gpu, "gpus": 1, "cpus": 4, "memory": "8G"},
        "gpu-2": {"title": "Two GPUs", **gpu, "gpus": 2, "cpus": 8, "memory": "16G"},
        "gpu-shard": {
            "title": "A share of a GPU",
            "partition": "gpu",
            "shards": 1,
            "cpus": 2,
            "memory": "4G",
            "default_hours": 1,
            "max_hours": 4,
        },
        "local": LOCAL_PROFILE,
        RESCUE: {
            "title": "Rescue: save and clean up",
            "partition": "cpu",
            "cpus": 1,
            "memory": "2G",
            "default_hours": 1,
            "max_hours": 1,
        },
    }
    return {name: profile for name, profile in offered.items() if int(profile.get("gpus", 0)) <= most_gpus}


def members(project: dict[str, Any]) -> list[str]:
    """Everybody in a project, owners first."""
    return [user for role in ("owner", "member") for user in project["members"].get(role, [])]

"""Doctor says which names of the site's file Slurm lacks, and concludes nothing where Slurm hides or is silent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fabric_hub.cli import doctor_names
from fabric_hub.cli.findings import Finding
from fabric_hub.config.settings import Settings
from fabric_hub.slurm import privacy
from fabric_hub.slurm.limits.model import Association, Limits, PartitionLimits, Qos
from fabric_hub.slurm.model import Snapshot
from tests.support.builders import NOW, a_node, a_site, a_snapshot
from tests.unit.gateway.test_limits_watcher import Slurm, watching

SLURM = Limits(
    at=NOW,
    now=NOW,
    associations=tuple(Association(account=name) for name in ("root", "phys", "teach", "old")),
    qos=(Qos(name="normal"), Qos(name="high")),
    partitions=(PartitionLimits(name="cpu"), PartitionLimits(name="gpu")),
)
NODES = a_snapshot(nodes=(a_node(), a_node(name="c1", partitions=("cpu",), gpus={}, gpus_free={})))
WRONG = """
[profile.typo]
partition = "GPU"
qos = "hihg"
[profile.wrong-gpu]
partition = "gpu"
gpus = 1
gpu_type = "h20"
[project.unknown]
account = "nosuch"
"""
SEES_ALL: frozenset[str] = frozenset()


def states(found: Sequence[Finding]) -> list[str]:
    return [finding.state for finding in found]


def compared(
    site: Settings, limits: Limits = SLURM, nodes: Snapshot = NODES, hidden: frozenset[str] | None = SEES_ALL
) -> list[Finding]:
    return list(doctor_names.compare(site, limits, nodes, hidden))


def test_a_site_whose_names_slurm_has_in_any_case_that_slurm_takes_is_right(tmp_path: Path) -> None:
    found = compared(a_site(tmp_path, '[profile.q]\nqos = "HIGH"\n[project.p]\naccount = "Phys"\n'))
    said = "Slurm has of what the site's file names: 1 partition, 1 GPU type, 1 QOS, 3 accounts"
    assert [(finding.state, str(finding.about)) for finding in found] == [("OK", said)]


def test_each_name_that_slurm_lacks_is_told_with_whose_it_is_what_slurm_has_and_the_next_step(tmp_path: Path) -> None:
    problems = [finding for finding in compared(a_site(tmp_path, WRONG)) if finding.state == "PROBLEM"]
    assert [(str(finding.about), str(finding.remedy).partition(":")[0]) for finding in problems] == [
        (
            'profile typo: Slurm has no partition "GPU"; it has "gpu", "cpu"',
            "write one that Slurm has in profile.typo.partition",
        ),
        ('profile typo: Slurm has no QOS "hihg"; it has "high", "normal"', "correct profile.typo.qos, or"),
        (
            'profile wrong-gpu: Slurm\'s partition gpu has no GPU type "h20"; it has "h200"',
            "write one that Slurm has in profile.wrong-gpu.gpu_type",
        ),
        (
            'project unknown: Slurm has no account "nosuch"; it has "old", "phys", "root", "teach"',
            "correct project.unknown.account, or",
        ),
    ]


def test_of_many_names_the_nearest_are_told(tmp_path: Path) -> None:
    many = tuple(Association(account=f"group{number:03}") for number in range(300))
    limits = SLURM.model_copy(update={"associations": (*SLURM.associations, *many)})
    told = next(
        str(one.about) for one in compared(a_site(tmp_path, '[project.x]\naccount = "tech"\n'), limits) if one.remedy
    )
    assert told.startswith('project x: Slurm has no account "tech"; it has "teach", ')
    assert told.endswith(" and 299 more")


@pytest.mark.parametrize(
    ("limits", "nodes", "hidden", "why"),
    [
        (SLURM, NODES, None, "it cannot be told what Slurm hides from the gateway"),
        (
            SLURM, NODES, frozenset({"partitions", "users", "nodes"}),
            "Slurm hides users and their limits from the gateway",
        ),
        (
            SLURM.model_copy(update={"unavailable_since": NOW, "problem": "slurmctld does not answer"}),
            NODES.model_copy(update={"unavailable_since": NOW}), SEES_ALL, "slurmctld does not answer",
        ),
        (Limits(at=NOW), a_snapshot(), SEES_ALL, "Slurm shows the gateway no account at all"),
    ],
)  # fmt: skip
def test_what_slurm_hides_or_does_not_say_is_not_known_and_never_a_problem(
    tmp_path: Path, limits: Limits, nodes: Snapshot, hidden: frozenset[str] | None, why: str
) -> None:
    found = compared(a_site(tmp_path, WRONG), limits, nodes, hidden)
    unknown = [finding for finding in found if finding.state == "SKIPPED"]
    for words in ('"GPU"', 'QOS "hihg"', '"h20"', '"nosuch"'):
        assert [words in str(finding.about) for finding in unknown].count(True) == 1
    assert all(" is not known: " in str(finding.about) and finding.remedy for finding in unknown)
    nosuch = next(str(finding.about) for finding in unknown if '"nosuch"' in str(finding.about))
    assert nosuch.endswith(f"is not known: {why}")
    assert "PROBLEM" not in states(found)


def test_a_gpu_type_may_be_on_nodes_of_a_cloud_that_are_powered_down(tmp_path: Path) -> None:
    site = a_site(tmp_path, '[profile.big]\ngpus = 1\ngpu_type = "b200"\n')
    assert states(compared(site)) == ["OK", "PROBLEM"]
    assert states(compared(site, hidden=frozenset({privacy.CLOUD}))) == ["OK", "SKIPPED"]
    resumes = "ResumeProgram           = /usr/sbin/resume\nPrivateData             = "
    assert privacy.hides_cloud_nodes(f"{resumes}none")
    assert not privacy.hides_cloud_nodes(f"{resumes}cloud")
    assert not privacy.hides_cloud_nodes("ResumeProgram           = (null)\nPrivateData             = none")


async def test_an_account_that_was_made_a_moment_ago_is_there_and_silence_meanwhile_is_no_problem(
    tmp_path: Path,
) -> None:
    site, slurm = a_site(tmp_path), Slurm()
    no_profiles = site.model_copy(update={"profile": {}})
    slurm.accounts = ["phys", "teach"]
    async with watching(slurm) as watcher:

        class Gateway:
            limits = staticmethod(watcher.read)

            async def snapshot(self, after: object = None, wait_s: object = 0.0, fresh: object = None) -> Snapshot:
                return NODES

        said = await doctor_names.look(no_profiles, Gateway(), SEES_ALL)
        assert [str(finding.about) for finding in said if finding.state == "PROBLEM"] == [
            'project past: Slurm has no account "old"; it has "phys", "teach"'
        ]
        slurm.silent = True
        assert states(await doctor_names.look(no_profiles, Gateway(), SEES_ALL)) == ["OK", "SKIPPED"]
        slurm.silent, slurm.accounts = False, ["phys", "teach", "old"]
        await watcher.read(fresh=watcher.limits.now, wait_s=10)
        asked = len(slurm.asked)
        assert states(await doctor_names.look(no_profiles, Gateway(), SEES_ALL)) == ["OK"]
        assert len(slurm.asked) == asked, "what the gateway knows is enough where nothing is missing"


async def test_a_gateway_that_does_not_answer_leaves_everything_not_known(tmp_path: Path) -> None:
    site = a_site(tmp_path, f'[gateway]\nsocket = "{tmp_path}/nobody.sock"\n')
    (told,) = await doctor_names.of_gateway(site, SEES_ALL)
    assert (told.state, "is not known" in str(told.about), bool(told.remedy)) == ("SKIPPED", True, True)

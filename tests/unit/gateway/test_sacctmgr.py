"""Slurm's database adds to the limits who may use which QOS, and what a QOS gives each user."""

from __future__ import annotations

from fabric_hub.gateway.queries import sacctmgr
from fabric_hub.slurm.limits.model import Association, Limits, Qos


def test_the_database_adds_who_may_use_which_qos_and_what_a_qos_gives_each_user() -> None:
    limits = Limits(associations=(Association(account="lab", user="ann"),), qos=(Qos(name="short"),))
    limits = sacctmgr.with_rights(limits, "lab||||\nlab|ann||normal,short|short\n")
    limits = sacctmgr.with_qos_rules(limits, "short|2.000000|gres/gpu=2,mem=16G|2|5||||DenyOnLimit,OverPartQOS\n")
    (ann,), (short,) = limits.associations, limits.qos
    assert (ann.qos, ann.default_qos) == (("normal", "short"), "short")
    assert short.max_tres_per_user == {"gres/gpu": 2, "mem": 16384}
    assert short.flags == ("DenyOnLimit", "OverPartQOS")
    assert (short.max_jobs_per_user, short.max_submit_per_user, short.usage_factor) == (2, 5, 2.0)

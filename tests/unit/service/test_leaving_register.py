"""Whatever lets a person in, or runs for them, is in the register of what closes when they leave."""

from __future__ import annotations

import importlib
import inspect

from jupyterhub import orm

import fabric_hub.catalogue.people.tables
from fabric_hub.catalogue.tables import metadata as catalogue
from fabric_hub.service.leaving_register import CLOSINGS, OPENS_NOTHING, Step, When
from fabric_hub.sessions.tables import metadata as sessions
from fabric_hub.slurm.model import Job

assert fabric_hub.catalogue.people.tables.persons.metadata is catalogue
WITHIN_S = 60.0


def test_every_table_is_in_one_line_or_lets_nobody_in() -> None:
    stores = {"sessions": sessions, "catalogue": catalogue, "jupyterhub": orm.Base.metadata}
    there = {f"{store}.{table}" for store, metadata in stores.items() for table in metadata.tables}
    listed = [table for line in CLOSINGS for table in line.tables]
    assert len(listed) == len(set(listed))
    assert not OPENS_NOTHING & set(listed)
    assert {*listed, *OPENS_NOTHING} == there


def test_every_kind_of_job_that_a_name_tells_is_in_a_line() -> None:
    kinds = {
        name
        for name, found in inspect.getmembers(Job, lambda member: isinstance(member, property))
        if "tuple[str" in str(found.fget.__annotations__.get("return"))
    }
    assert kinds >= {"session", "cluster"}
    assert {job for line in CLOSINGS for job in line.jobs} == kinds


def test_the_lines_are_in_the_order_in_which_things_close_and_name_what_closes_them() -> None:
    steps = [line.step for line in CLOSINGS]
    assert steps == sorted(steps)
    assert set(steps) == set(Step)
    assert {line.when for line in CLOSINGS} == set(When)
    for line in CLOSINGS:
        assert 0 < line.within_s <= WITHIN_S
        module, _, name = line.by.partition(":")
        assert callable(getattr(importlib.import_module(module), name)), line.by

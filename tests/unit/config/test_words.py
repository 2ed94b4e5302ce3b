"""A wrong value in the site's file is answered by what is allowed; names are taken as Slurm has them."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fabric_hub.config import catalogue as catalogue_settings
from fabric_hub.config import quotas as quota_settings
from fabric_hub.config import settings
from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from fabric_hub.slurm.model import JobSpec
from fabric_hub.slurm.notation import gres_counts, tres_counts
from fabric_hub.types import Frozen
from fabric_hub.unix.accounts import hub_name, unix_name
from tests.support.builders import site_text


def mistakes(text: str) -> list[str]:
    """The lines after the first of what is said about a site's file."""
    with pytest.raises(FabricError) as caught:
        parse(text)
    return caught.value.message.splitlines()[1:]


PEOPLE = "[project.x]\naccount = 'a'\nmembers = "


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[profile.x]\nmemory = '8GB'\n",
         'memory as Slurm writes it: a number with K, M, G or T, such as "8G", not "8GB": write "8G"'),
        ("[profile.x]\nmemory = 4000\n", 'such as "8G", not 4000: write "4000M"'),
        ("[profile.x]\nmemory = '1.5 gib'\n", 'not "1.5 gib": write "1.5G"'),
        ("[profile.x]\nmemory = 'much'\n", 'such as "8G", not "much"'),
        ("[profile.x]\npartition = 'gpu,gpu-long'\n", 'not "gpu,gpu-long": write a profile for each of them'),
        ("[profile.x]\ngpu_type = 'H100 (80 GB)'\n", "the TYPE in gpu:TYPE:NUMBER of `sinfo -o %G`, such as"),
        ("[profile.My_GPU]\n", 'such as "ml-course", not "My_GPU": write "my-gpu"'),
        (f"{PEOPLE}{{ member = ['HPC\\anna'] }}\n",
         "write \"anna\", and the domain in users.unix_name = 'HPC\\{user}'"),
        (f"{PEOPLE}'anna'\n", "project.x.members: must be a table of its own"),
        ("[profile.x]\ncpus = 'four'\n", 'profile.x.cpus: must be a whole number, such as 4, not "four"'),
        ("[profile.x]\ncpus = 0\n", "profile.x.cpus: must be greater than or equal to 1, not 0"),
        ("[profile.x]\nkind = 'docker'\n", "must be 'slurm' or 'local', not \"docker\""),
        ("[project.x]\naccount = 'a'\nprofiles = 'cpu'\n", 'must be a list, such as ["one", "two"], not "cpu"'),
        ("[project.x]\naccount = 'a'\nend = 'soon'\n", 'must be a day, such as 2027-12-31, not "soon"'),
        ("[users]\numask = 22\n", 'must be three octal digits in quotation marks, such as "022", not 22'),
        ("[catalogue]\naccount = '0a'\n", 'such as "fabric-catalogue", not "0a"'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_answered_by_what_is_allowed_and_an_example(tmp_path: Path, more: str, told: str) -> None:
    (said,) = mistakes(site_text(tmp_path, more))
    assert told in said
    assert "pattern" not in said
    assert "Input" not in said


def settings_with_patterns() -> Iterator[tuple[type[BaseModel], str, bool]]:
    for module in (settings, catalogue_settings, quota_settings):
        for model in vars(module).values():
            if not (isinstance(model, type) and issubclass(model, Frozen) and model.__module__ == module.__name__):
                continue
            for name, field in model.model_json_schema().get("properties", {}).items():
                if '"pattern"' in json.dumps(field):
                    yield model, name, '"array"' in json.dumps(field)


@pytest.mark.parametrize(
    ("model", "name", "many"),
    [pytest.param(*found, id=f"{found[0].__name__}.{found[1]}") for found in settings_with_patterns()],
)
def test_no_setting_is_answered_by_a_pattern(model: type[BaseModel], name: str, many: bool) -> None:
    wrong: Any = ["\x00"] if many else "\x00"
    if typing.get_origin(model.model_fields[name].annotation) is dict:
        wrong = {"\x00": wrong}
    with pytest.raises(ValidationError) as refused:
        model.model_validate({name: wrong})
    assert "words" in {item["type"] for item in refused.value.errors() if item["loc"][0] == name}


@pytest.mark.parametrize(
    "kind",
    [
        "nvidia_rtx_pro_6000_blackwell_server_edition",  # AutoDetect=nvml
        "nvidia_a100-sxm4-80gb_1g.10gb+me",  # MIG with the media engines
        "nvidia_h100_80gb_hbm3_mig_1g.10gb",
        "intel(r)_data_center_gpu_max_1550",  # AutoDetect=oneapi
        "amd_instinct_mi250x_/_mi250",  # AutoDetect=rsmi
    ],
)
def test_a_type_of_gpu_is_taken_as_slurm_names_it(tmp_path: Path, kind: str) -> None:
    profile = parse(site_text(tmp_path, f"[profile.x]\ngpus = 2\ngpu_type = '{kind}'\n")).profile["x"]
    assert JobSpec(gres=profile.gres).gres == (f"gpu:{kind}:2",)
    assert gres_counts(f"gpu:{kind}:4(S:0-1),gpu:{kind}:4(S:2,3)") == {"gpu": {kind: 8}}
    assert tres_counts(f"gres/gpu:{kind}=4") == {f"gres/gpu:{kind}": 4}


def test_a_plain_list_of_people_is_one_of_members(tmp_path: Path) -> None:
    members = parse(site_text(tmp_path, f"{PEOPLE}['Anna', 'bob']\n")).project["x"].members
    assert (members.owner, members.member) == ((), ("anna", "bob"))


def test_people_of_a_windows_domain_have_its_accounts(tmp_path: Path) -> None:
    users = parse(site_text(tmp_path, "[users]\nunix_name = 'HPC\\{user}'\n")).users
    assert unix_name(users, "anna") == "HPC\\anna"
    assert hub_name(users, "HPC\\anna") == "anna"

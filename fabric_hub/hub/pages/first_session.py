"""What somebody who never had a session may begin with: up to three choices, each a query of the filled form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from urllib.parse import urlencode

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.policy import State, standing
from fabric_hub.launch.choice import images_of, profiles_of
from fabric_hub.launch.job_spec import describe, profile_spec
from fabric_hub.messages.text import Text
from fabric_hub.projects.membership import closed, projects_of

Kind = Literal["cpu", "gpu", "dataset"]


@dataclass(frozen=True)
class FirstChoice:
    """A choice to begin with: what its machine has (``asks``), the dataset's title, and the form's query."""

    kind: Kind
    asks: tuple[Text, ...]
    dataset: str
    options: str


def first_choices(
    settings: Settings, user: str, catalogue: Catalogue | None, today: date, *, local: bool = True
) -> tuple[FirstChoice, ...]:
    """A machine without a GPU, one with the fewest, and a dataset that is open: of the first open project that has it.

    :param catalogue: as it was told last; None: no dataset is proposed.
    :param local: whether this hub can run sessions on its own machine.
    """
    found: dict[Kind, FirstChoice] = {}
    for name, project in projects_of(settings, user).items():
        if closed(project, today) or not images_of(settings, project):
            continue
        usable = {
            key: profile
            for key, profile in profiles_of(settings, project).items()
            if key != settings.quotas.rescue_profile and (local or profile.kind == "slurm")
        }
        plain = next((key for key, profile in usable.items() if not _gpus(profile)), None)
        gpus = {key: _gpus(profile) for key, profile in usable.items() if _gpus(profile)}
        with_gpu = min(gpus, key=lambda key: gpus[key], default=None)
        if plain is not None and "cpu" not in found:
            found["cpu"] = _preset("cpu", name, plain, usable)
        if with_gpu is not None and "gpu" not in found:
            found["gpu"] = _preset("gpu", name, with_gpu, usable)
        dataset = _open_dataset(catalogue, user, name, today) if catalogue else None
        machine = plain or with_gpu
        if dataset is not None and machine is not None and "dataset" not in found:
            found["dataset"] = _preset("dataset", name, machine, usable, dataset)
    order: tuple[Kind, ...] = ("cpu", "gpu", "dataset")
    return tuple(found[kind] for kind in order if kind in found)


def _gpus(profile: Profile) -> int:
    """How many GPUs a profile has; shares of them come after all whole ones."""
    return profile.gpus or (1000 + profile.shards if profile.shards else 0)


def _preset(
    kind: Kind, project: str, profile: str, usable: Mapping[str, Profile], dataset: tuple[str, str] = ("", "")
) -> FirstChoice:
    name, title = dataset
    chosen = {"opt-project": project, "opt-profile": profile, **({"opt-datasets": name} if name else {})}
    spec = profile_spec(usable[profile], {})
    asks = describe(spec) if usable[profile].kind == "slurm" else ()
    return FirstChoice(kind, asks, title, urlencode(chosen))


def _open_dataset(catalogue: Catalogue, user: str, project: str, today: date) -> tuple[str, str] | None:
    """(name, title) of the first dataset that a user can open in a project at once."""
    for dataset in catalogue.datasets:
        if standing(catalogue, dataset.name, user, project, today).state is State.OPEN:
            return dataset.name, dataset.title or dataset.name
    return None

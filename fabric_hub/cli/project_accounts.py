"""``fabric-hub projects plan | apply``: how Slurm's accounts follow the projects that the catalogue service keeps."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any

from fabric_hub.config import settings
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.gateway.projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan
from fabric_hub.gateway.projects.plan import described
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import slurm_projects as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.slurm.associations import Step

from .site import add_site_arguments, site_to_look_at


def add_verbs(verbs: Any) -> None:
    """Add what is about Slurm to the verbs of ``fabric-hub projects``."""
    shown = verbs.add_parser("plan", help=_("what is to be done in Slurm, and what was changed there by hand"))
    shown.set_defaults(run=_plan)
    done = verbs.add_parser("apply", help=_("do it now; the gateway also does it by itself when a project changes"))
    done.add_argument(
        "--closings",
        action="store_true",
        help=_("also close the accounts of projects that are gone, which wait for an operator's word"),
    )
    done.set_defaults(run=_apply)
    for verb in (shown, done):
        verb.add_argument("--json", action="store_true", help=_("one object"))
        add_site_arguments(verb)


def _client(arguments: argparse.Namespace) -> GatewayClient:
    site = settings.load(site_to_look_at(arguments) or settings.path_from_environment())
    return GatewayClient(site.gateway.socket)


def _plan(arguments: argparse.Namespace) -> int:
    async def work(gateway: GatewayClient) -> ProjectsPlan:
        async with gateway:
            return await gateway.projects_plan()

    found = asyncio.run(work(_client(arguments)))
    if arguments.json:
        print(json.dumps(found.model_dump(mode="json"), indent=2))
        return 0
    if found.owner == "outside":
        _print([texts.OUTSIDE()])
    _print_steps(texts.TO_DO(n=len(found.steps)) if found.steps else texts.NOTHING_TO_DO(), found.steps)
    _print_rest(found.drift, (*found.problems, *found.notes))
    return 0


def _apply(arguments: argparse.Namespace) -> int:
    async def work(gateway: GatewayClient) -> ProjectsApplied:
        async with gateway:
            return await gateway.projects_apply(ApplyBody(closings=arguments.closings))

    found = asyncio.run(work(_client(arguments)))
    if arguments.json:
        print(json.dumps(found.model_dump(mode="json"), indent=2))
    else:
        nothing = not found.done and not found.left
        _print_steps(texts.NOTHING_TO_DO() if nothing else texts.DONE(n=len(found.done)), found.done)
        if found.left:
            _print_steps(texts.TO_DO(n=len(found.left)), found.left)
        _print_rest(found.drift, found.problems)
    return 1 if found.left or found.problems else 0


def _print_steps(head: Text, steps: Sequence[Step]) -> None:
    print(head.say())
    for step in steps:
        print(f"  {escaped(described(step).say())}")


def _print_rest(drift: Sequence[Text], others: Iterable[Text]) -> None:
    if drift:
        print(texts.BY_HAND(n=len(drift)).say())
        _print(drift, "  ")
    _print(others)


def _print(told: Iterable[Text], before: str = "") -> None:
    for text in told:
        print(before + escaped(text.say()))
        if hint := text.hint:
            print(f"{before}  -> {escaped(hint.say())}")

"""``fabric-hub doctor | check-config``: what is wrong with this machine or this site's file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fabric_hub.config import settings
from fabric_hub.config.mistakes import at_line
from fabric_hub.errors import FabricError

from . import moving, notes
from .embedded import running_site
from .findings import exists


def add_parser(commands: Any) -> None:
    """Add the two commands."""
    check = commands.add_parser(
        "check-config", help="read the site's file alone and report every mistake in it; doctor asks Slurm"
    )
    check.set_defaults(run=_check_config)
    doctor = commands.add_parser(
        "doctor", help="what is missing or wrong on this machine or site, or in Slurm, and the remedy"
    )
    doctor.add_argument("--json", action="store_true", help="each line as an object: state, about, remedy")
    doctor.set_defaults(run=_doctor)
    moving.add_arguments(check)
    for command in (check, doctor):
        add_site_arguments(command)


def add_site_arguments(command: argparse.ArgumentParser) -> None:
    """The options of a command that looks at a site or an embedded run; see :func:`site_to_look_at`."""
    command.add_argument(
        "--dir",
        type=lambda text: Path(text).expanduser().resolve(),
        help="look at the embedded run in this directory, when no site's file is named (default: `fabric-hub up`'s)",
    )
    command.add_argument(
        "--site",
        type=Path,
        default=None,
        help=f"the site's file (default: ${settings.ENV}, or {settings.DEFAULT_PATH})",
    )


def _check_config(arguments: argparse.Namespace) -> int:
    if arguments.jupyterhub_config:
        return moving.report(arguments)
    path = site_to_look_at(arguments) or settings.path_from_environment()
    found = settings.load(path)
    own = found.hub.extra_config
    there = exists(own) if own else True
    if there is False:
        mistake = f"hub.extra_config: {own} does not exist"
        raise FabricError(
            f"{path} has 1 mistake:\n{at_line(mistake, path.read_text(encoding='utf-8'), str(path))}.",
            reason="site-file",
            hint="Write that file, or take hub.extra_config out.",
        )
    own_findings = list(moving.of_site(own, found)) if own and there else []
    wrong = [finding.about for finding in own_findings if finding.state == "PROBLEM"]
    if wrong:
        raise FabricError(
            f"hub.extra_config has {len(wrong)} mistake{'' if len(wrong) == 1 else 's'}:\n" + "\n".join(wrong),
            reason="site-file",
            hint="Change these lines, or take them out.",
        )
    counts = ", ".join(
        f"{len(table)} {name}{'' if len(table) == 1 else 's'}"
        for name, table in (("profile", found.profile), ("project", found.project), ("image", found.image))
    )
    print(f"{path} is right: {counts}, {'Slurm' if found.slurm else 'no Slurm'}.")
    if found.slurm:
        print("That is what the file says; whether Slurm has what it names, `fabric-hub doctor` asks Slurm.")
    text = path.read_text(encoding="utf-8")
    for note in notes.of_file(text):
        print(f"Note: {at_line(f'{note.key}: {note.about}', text, str(path))}. Remedy: {note.remedy}.")
    for finding in own_findings:
        if finding.remedy:
            print(f"Note: {finding.about.removesuffix('.')}. Remedy: {finding.remedy}.")
    if there is None:
        print(f"Note: whether hub.extra_config {own} exists is not checked: this account may not look there.")
    trust = notes.of_sessions_trust(found.hub)
    for note in (*notes.of_units(), *notes.of_address(found.hub), *([trust] if trust.remedy else [])):
        print(f"Note: {note.about}. Remedy: {note.remedy.removesuffix('.')}.")
    if found.hub.nodes_ca and exists(found.hub.nodes_ca) is False:
        raise FabricError(
            f"{path}: hub.nodes_ca: {found.hub.nodes_ca} does not exist.",
            reason="site-file",
            hint="Put the PEM file of the authorities there, or take hub.nodes_ca out.",
        )
    return 0


def site_to_look_at(arguments: argparse.Namespace) -> Path | None:
    """The named site, else the embedded run while it runs, else the machine's site when it has one."""
    if arguments.site:
        return Path(arguments.site)
    if site := running_site(arguments.dir):
        return site
    default = settings.path_from_environment()
    return default if default.exists() else None


def _doctor(arguments: argparse.Namespace) -> int:
    from . import doctor  # httpx takes a moment that no other command needs

    found = list(doctor.machine())
    if site := site_to_look_at(arguments):
        found += doctor.of_site(site)
    problems = [finding for finding in found if finding.state == "PROBLEM"]
    right = sum(finding.state == "OK" for finding in found)
    if arguments.json:
        print(json.dumps([finding.model_dump() for finding in found], indent=2))
        return 1 if problems else 0
    for finding in found:
        print(f"{finding.state:<8} {finding.about}")
        if finding.remedy:
            print(f"{'':<8} -> {finding.remedy}")
    skipped = sum(finding.state == "SKIPPED" for finding in found)
    rest = f", {skipped} not checked" if skipped else ""
    print(f"\n{len(problems)} problem{'' if len(problems) == 1 else 's'}, {right} right{rest}.")
    return 1 if problems else 0

"""``fabric-hub doctor | check-config``: what is wrong with this machine or this site's file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fabric_hub.config import logo, settings
from fabric_hub.config.login import secret_mistakes
from fabric_hub.config.mistakes import Mistake, at_line, line_of
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import doctor as finds
from fabric_hub.messages.texts import site_file as texts
from fabric_hub.messages.translation import gettext as _

from . import moving, notes
from .embedded import running_site
from .findings import exists


def add_parser(commands: Any) -> None:
    """Add the two commands."""
    check = commands.add_parser(
        "check-config", help=_("read the site's file alone and report every mistake in it; doctor asks Slurm")
    )
    check.set_defaults(run=_check_config)
    doctor = commands.add_parser(
        "doctor", help=_("what is missing or wrong on this machine or site, or in Slurm, and the remedy")
    )
    doctor.add_argument(
        "--json", action="store_true", help=_("each line as an object, in English: state, about, remedy")
    )
    doctor.set_defaults(run=_doctor)
    moving.add_arguments(check)
    for command in (check, doctor):
        add_site_arguments(command)


def add_site_arguments(command: argparse.ArgumentParser) -> None:
    """The options of a command that looks at a site or an embedded run; see :func:`site_to_look_at`."""
    command.add_argument(
        "--dir",
        type=lambda text: Path(text).expanduser().resolve(),
        help=_("look at the embedded run in this directory, when no site's file is named (default: `fabric-hub up`'s)"),
    )
    command.add_argument(
        "--site",
        type=Path,
        default=None,
        help=_("the site's file (default: ${variable}, or {path})").format(
            variable=settings.ENV, path=settings.DEFAULT_PATH
        ),
    )


def _check_config(arguments: argparse.Namespace) -> int:
    if arguments.jupyterhub_config:
        return moving.report(arguments)
    path = site_to_look_at(arguments) or settings.path_from_environment()
    found = settings.load(path)
    own = found.hub.extra_config
    there = exists(own) if own else True
    if there is False:
        line = line_of(path.read_text(encoding="utf-8"), ["hub", "extra_config"])
        raise FabricError(texts.EXTRA_CONFIG_MISSING(name=str(path), line=line, path=str(own)))
    settings.refuse([*logo.mistakes(found.site), *secret_mistakes(found.login)], path)
    own_findings = list(moving.of_site(own, found)) if own and there else []
    wrong = tuple(finding.about for finding in own_findings if finding.state == "PROBLEM")
    if wrong:
        said = texts.MISTAKES(name="hub.extra_config", n=len(wrong), mistakes=wrong)
        raise FabricError(said, hint=texts.CHANGE_LINES())
    right = texts.RIGHT(
        path=str(path),
        profiles=texts.PROFILES(n=len(found.profile)),
        projects=texts.PROJECTS(n=len(found.project)),
        images=texts.IMAGES(n=len(found.image)),
        slurm=texts.WITH_SLURM() if found.slurm else texts.WITHOUT_SLURM(),
    )
    print(right.say())
    if found.slurm:
        print(texts.ASK_DOCTOR().say())
    text = path.read_text(encoding="utf-8")
    for note in notes.of_file(text):
        _print_note(note, at_line(Mistake(note.key, note.about), text, str(path)))
    for finding in own_findings:
        if finding.remedy:
            about = finding.about.say().removesuffix(".")
            print(texts.NOTE(about=about, remedy=finding.remedy).say())
    if there is None:
        print(texts.EXTRA_CONFIG_UNSEEN(path=str(own)).say())
    trust = notes.of_sessions_trust(found.hub)
    for note in (*notes.of_units(), *notes.of_address(found.hub), *([trust] if trust.remedy else [])):
        _print_note(note, note.about)
    if found.hub.nodes_ca and exists(found.hub.nodes_ca) is False:
        raise FabricError(texts.NODES_CA_MISSING(name=str(path), path=str(found.hub.nodes_ca)))
    return 0


def _print_note(note: notes.Note, about: Text) -> None:
    remedy = note.remedy.say().removesuffix(".") if note.remedy else ""
    print(texts.NOTE(about=about, remedy=remedy).say())


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
        print(json.dumps([finding.as_json() for finding in found], indent=2))
        return 1 if problems else 0
    for finding in found:
        for line in finding.lines():
            print(line)
    skipped = sum(finding.state == "SKIPPED" for finding in found)
    counts = {"problems": finds.PROBLEMS(n=len(problems)), "right": finds.RIGHT(n=right)}
    print()
    print((finds.COUNTS_NOT_ALL(**counts, n=skipped) if skipped else finds.COUNTS(**counts)).say())
    return 1 if problems else 0

"""``fabric-hub check-config --jupyterhub-config FILE``: what becomes of each line of an old hub's configuration.

The same judgement looks at the file that a site's ``hub.extra_config`` names, for check-config and doctor.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, whole
from fabric_hub.messages.texts import doctor as finds
from fabric_hub.messages.texts import moving as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.moving.model import Judged, OldFile, Unrun, Verdict
from fabric_hub.moving.reading import LIMIT_S, read
from fabric_hub.moving.site_file import first_site
from fabric_hub.moving.verdicts import judge

from .findings import Finding, problem, right, skipped

_WORDS = {
    Verdict.KEPT: texts.KEPT,
    Verdict.REPLACED: texts.REPLACED,
    Verdict.UNUSED: texts.UNUSED,
    Verdict.REFUSED: texts.REFUSED,
}
# What to do with a line.
REMEDY = {
    Verdict.REPLACED: texts.SAY_IN_SITE_FILE,
    Verdict.UNUSED: texts.TAKE_OUT_OR_LEAVE,
    Verdict.REFUSED: texts.CHANGE_OR_TAKE_OUT,
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of check-config that are about an old hub's configuration."""
    command.add_argument(
        "--jupyterhub-config",
        type=Path,
        metavar="FILE",
        help=_(
            "say what becomes of each line of this jupyterhub_config.py of an old hub. It is run to read it, as the"
            " account that calls this, for at most {seconds} s"
        ).format(seconds=LIMIT_S),
    )
    command.add_argument("--no-run", action="store_true", help=_("only look at that file's text"))
    command.add_argument("--write-site", type=Path, metavar="FILE", help=_("write a first site.toml from it"))
    command.add_argument("--json", action="store_true", help=_("with --jupyterhub-config: the lines as JSON"))


def report(arguments: argparse.Namespace) -> int:
    """Say what becomes of an old configuration; 1 where something in it is refused.

    :raises FabricError: it cannot be read, or the site's file cannot be written.
    """
    if arguments.write_site and os.path.lexists(arguments.write_site):
        raise FabricError(texts.NOT_WRITTEN(path=str(arguments.write_site)))
    file = read(arguments.jupyterhub_config, run=not arguments.no_run)
    found = judge(file)
    notes = [how_read(file)]
    if arguments.write_site:
        notes.append(_write(arguments.write_site, first_site(file)))
    if arguments.json:
        lines = [one.model_dump(mode="json") for one in found]
        print(json.dumps({"notes": [note.say() for note in notes], "lines": lines}, indent=2))
    else:
        for line in table(found):
            print(line)
        verdicts = [one.verdict for one in found]
        counts = {verdict.value: verdicts.count(verdict) for verdict in Verdict}
        print(texts.COUNTS(n=len(found), **counts).say() if found else texts.NOTHING_SET(path=file.path).say())
        for note in notes:
            print(note.say())
    return 1 if any(one.verdict is Verdict.REFUSED for one in found) else 0


def how_read(file: OldFile) -> Text:
    """That a file was run, and as whom; or why it was only looked at."""
    why = {
        Unrun.ASKED: texts.ONLY_LOOKED,
        Unrun.NOT_OURS: texts.NOT_OURS,
        Unrun.TOO_LONG: texts.TOO_LONG,
        Unrun.DIED: texts.DIED,
    }
    return why[file.unrun](path=file.path, seconds=LIMIT_S) if file.unrun else texts.RUN_AS(
        path=file.path, account=file.ran_as
    )  # fmt: skip


def table(found: Iterable[Judged]) -> Iterator[str]:
    """The lines as a table: place, setting, verdict, and by what or why."""
    rows = [tuple(map(_plain, (_place(one), one.setting, _WORDS[one.verdict]().say(), one.why.say()))) for one in found]
    widths = [max((len(row[number]) for row in rows), default=0) for number in range(3)]
    for row in rows:
        yield "  ".join((*(part.ljust(width) for part, width in zip(row, widths, strict=False)), row[3])).rstrip()


def _plain(text: str) -> str:
    """Without what would steer the terminal: the file may be somebody else's."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _place(one: Judged) -> str:
    return f"{Path(one.file).name}:{one.line}"


def _write(path: Path, text: str) -> Text:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise FabricError(texts.NOT_WRITTEN(path=str(path))) from error
    except OSError as error:
        raise FabricError(texts.CANNOT_WRITE(path=str(path), why=error.strerror or "")) from error
    return texts.WRITTEN(path=str(path))


def of_site(path: Path, site: Settings) -> Iterator[Finding]:
    """What a site's own configuration (``hub.extra_config``) says that the hub does not use, or does not start with.

    Root runs it as the hub does, as the hub's account: what it loads or makes may be that account's.
    """
    try:
        file = read(path, in_place_of_root=_hubs_account(site))
    except FabricError as error:
        yield skipped(finds.PLACE(what="hub.extra_config", path=str(path)), whole(error), finds.AS_ROOT())
        return
    found = judge(file, site)
    for one in found:
        place = _plain(f"{one.file}:{one.line}: {one.setting}".removesuffix(": "))
        about = finds.AT_KEY(key=place, about=one.why)
        if one.verdict is Verdict.REFUSED:
            yield problem(about, REMEDY[one.verdict]())
        elif one.verdict is not Verdict.KEPT:
            yield Finding(state="NOTE", about=about, remedy=REMEDY[one.verdict]())
    if file.unrun is not None:
        yield skipped(finds.PLACE(what="hub.extra_config", path=str(path)), how_read(file), finds.AS_OWNER())
    elif not any(one.verdict is Verdict.REFUSED for one in found):
        yield right(finds.PLACE(what="hub.extra_config", path=str(path)))


def _hubs_account(site: Settings) -> int | None:
    """The uid of the hub's account; None where no hub has been set up yet."""
    try:
        uid = site.hub.state_dir.stat().st_uid
        pwd.getpwuid(uid)
    except (OSError, KeyError):
        return None
    return uid

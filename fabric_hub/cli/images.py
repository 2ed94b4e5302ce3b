"""``fabric-hub images build NAME`` and ``fabric-hub images list``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from fabric_hub.config.settings import load
from fabric_hub.images import build, recipe
from fabric_hub.messages.translation import gettext as _

from .site import add_site_arguments, site_to_look_at


def add_parser(subparsers: Any) -> None:
    """Add ``images`` to the command line; the chosen action is ``args.run(args) -> exit status``."""
    parser = subparsers.add_parser("images", help=_("build and list the software environments of sessions"))
    actions = parser.add_subparsers(required=True, metavar=_("ACTION"))

    make = actions.add_parser("build", help=_("make an image ready to use; at once when nothing changed"))
    make.add_argument("name", metavar=_("NAME"), help=_("a directory of images/"))
    make.add_argument("--variant", help=_("lock file to use where an image has more (cpu, cuda)"))
    make.add_argument("--check", action="store_true", help=_("build nothing; status 1 when it is not up to date"))
    make.set_defaults(run=_build)

    show = actions.add_parser("list", help=_("the known images, and which build of each is live"))
    show.set_defaults(run=_list)
    for action in (make, show):
        action.add_argument("--images", type=Path, metavar=_("DIR"), help=_("default: images.dir of the site's file"))
        add_site_arguments(action)


def _directory(args: argparse.Namespace) -> Path:
    told: Path | None = args.images
    return told.absolute() if told else load(site_to_look_at(args)).images.dir


def _build(args: argparse.Namespace) -> int:
    directory = _directory(args)
    if args.check:
        wanted = build.identify(args.name, args.variant)
        live = _live(directory / args.name)
        said = _("{name}: up to date") if live == wanted else _("{name}: live is {live}, wanted is {wanted}")
        print(said.format(name=args.name, live=live, wanted=wanted))
        return 0 if live == wanted else 1
    print(build.build(args.name, directory, lambda line: print(line.say(), flush=True), variant=args.variant))
    return 0


def _list(args: argparse.Namespace) -> int:
    directory = _directory(args)
    root = recipe.source_root()
    for name in recipe.known(root):
        image = recipe.load(name, root)
        print(f"{name:12} {_live(directory / name):14} {image.recipe.title}: {image.recipe.description}")
    return 0


def _live(home: Path) -> str:
    """The live build of an image, or "-"."""
    current = home / "current"
    return os.readlink(current) if current.is_symlink() and (current / build.MARK).is_file() else "-"

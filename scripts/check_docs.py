"""Check what people read: descriptions of settings, commands and APIs, and paths of one machine only.

Links are checked where the pages become a site (:mod:`scripts.site`).

``python -m scripts.check_docs`` prints every fault and ends with status 1 when there is one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from fabric_hub import cli
from fabric_node.__main__ import parser as node_parser

from .make_reference import pages as reference_pages
from .make_reference import stale
from .reference.apis import gateway_openapi, service_openapi
from .reference.commands import arguments, commands
from .reference.markdown import ROOT
from .reference.settings import sections

# Where a checkout or a person's files happen to be on one machine; examples and tests use other places.
PRIVATE_PATH = re.compile(r"(?<![\w.}/-])/(?:work|root|Users)(?=[/\"'\s`])")


def undescribed_settings() -> list[str]:
    """Settings and tables of the site's file that say nothing of themselves."""
    missing = []
    for name, model in sections():
        if not (model.__dict__.get("__doc__") or "").strip():
            missing.append(f"[{name}]")
        missing += [f"{name}.{key}" for key, field in model.model_fields.items() if not field.description]
    return missing


def undescribed_commands() -> list[str]:
    """Commands of ``fabric-hub`` without a help text."""
    return [parser.prog for parser, about in commands(cli.parser()) if not about]


def undescribed_arguments(parser: argparse.ArgumentParser) -> list[str]:
    """Arguments of a program, and of all its commands, without a help text, as "command argument"."""
    return [
        f"{command.prog} {written}"
        for command, _ in commands(parser)
        for written, what in arguments(command)
        if not what.strip()
    ]


def undescribed_verbs() -> list[str]:
    """Calls of our APIs without a description."""
    return [
        f"{method.upper()} {path}"
        for document in (service_openapi(), gateway_openapi())
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not operation.get("description")
    ]


def private_paths(files: Iterable[Path]) -> list[str]:
    """Lines that name a path of one developer's machine, as "file:line: path"."""
    checkout = re.compile(re.escape(str(ROOT)) + r"(?![\w-])")
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (UnicodeDecodeError, OSError):
            continue
        for number, line in enumerate(lines, 1):
            match = PRIVATE_PATH.search(line) or checkout.search(line)
            if match:
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group(0)}")
    return found


def project_files() -> list[Path]:
    """Every file of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def main() -> int:
    """Print every fault; the exit status says whether there was one."""
    faults = [f"is not up to date: {name}" for name in stale(reference_pages())]
    faults += [
        f"has no description: {name}"
        for name in (
            *undescribed_settings(),
            *undescribed_commands(),
            *undescribed_arguments(cli.parser()),
            *undescribed_arguments(node_parser()),
            *undescribed_verbs(),
        )
    ]
    faults += [f"path of one machine in {place}" for place in private_paths(project_files())]
    for fault in faults:
        print(fault)
    print(f"Descriptions and paths checked, {len(faults)} faults.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

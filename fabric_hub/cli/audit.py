"""``fabric-hub audit verify | export | head``: what the audit log proves.

Given as root or as the catalogue service's account; root becomes the catalogue service before it opens a file.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from datetime import date, datetime, timedelta
from datetime import time as midnight
from pathlib import Path
from typing import Any

from fabric_hub.catalogue.audit.log import AuditLogBrokenError, Head, audit_directory, moment, named, read_head
from fabric_hub.catalogue.audit.reading import GRACE_S, LONGEST_JOB_S, Reading, Use, uses, verify
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.switch_user import for_good
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import whole
from fabric_hub.messages.texts import audit as texts
from fabric_hub.messages.translation import gettext as _

COLUMNS = ("user", "uid", "responsible", "project", "purpose", "dataset", "version", "job", "node", "start",
           "end", "ended", "person")  # fmt: skip


def add_parser(parts: Any) -> None:
    """Add the three parts; each parser's ``work`` takes the site's settings and the parsed arguments."""
    check = parts.add_parser("verify", help=_("read the whole audit log and name the first record that is wrong"))
    check.add_argument(
        "--noted",
        type=_head,
        metavar=_("NUMBER:DIGEST"),
        help=_("a head that was noted before; the audit log must still hold it"),
    )
    check.set_defaults(work=_verify)
    export = parts.add_parser("export", help=_("the uses of a dataset: who, for what, which version, where, how long"))
    export.add_argument("--dataset", required=True, metavar=_("NAME"), help=_("name of the dataset"))
    for option, what, about in (
        ("--from", "first", _("the first day (2026-11-21), local time")),
        ("--to", "last", _("the last day (2026-11-21), local time")),
    ):
        export.add_argument(option, dest=what, type=_day, required=True, metavar=_("DATE"), help=about)
    form = export.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        action="store_true",
        help=_("print JSON: the uses, and the head of the audit log that they were read from"),
    )
    form.add_argument("--csv", action="store_true", help=_("print CSV: one line per use"))
    export.set_defaults(work=_export)
    head = parts.add_parser("head", help=_("number and digest of the last record, to be noted elsewhere"))
    head.set_defaults(work=_print_head)


def _head(text: str) -> Head:
    number, *rest = text.split(":", 1)
    try:
        return Head(seq=int(number), digest="".join(rest))
    except ValueError:
        said = _("{text} is not a head as `fabric-hub audit head` prints it").format(text=repr(text))
        raise argparse.ArgumentTypeError(said) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("{text} is not a date like 2026-11-21").format(text=repr(text))) from None


def _open(site: Settings) -> Path:
    """The site's audit log, as the catalogue service's account."""
    assert site.catalogue is not None
    for_good(site.catalogue)
    return audit_directory(site.catalogue)


def _verify(site: Settings, arguments: argparse.Namespace) -> int:
    directory = _open(site)
    found = verify(directory, arguments.noted)
    print(texts.WHOLE(path=str(directory), n=found.last.seq).say())
    print(texts.ITS_HEAD(number=found.last.seq, digest=found.last.digest).say())
    if found.unfinished:
        print(texts.UNFINISHED(size=found.unfinished).say())
    return 0


def _print_head(site: Settings, _: argparse.Namespace) -> int:
    head = read_head(_open(site))
    print(f"{head.seq}:{head.digest}")
    return 0


def longest_use_s(site: Settings) -> float:
    """After how long a use whose end nobody told counts as ended."""
    sessions = max((profile.max_hours for profile in site.profile.values()), default=0.0) * 3600.0
    return max(sessions, LONGEST_JOB_S) + GRACE_S


def _export(site: Settings, arguments: argparse.Namespace) -> int:
    directory = _open(site)
    if arguments.last < arguments.first:
        raise FabricError(texts.DAYS_TURNED(last=str(arguments.last), first=str(arguments.first)))
    since = datetime.combine(arguments.first, midnight.min).timestamp()
    until = datetime.combine(arguments.last + timedelta(days=1), midnight.min).timestamp()
    reading = Reading(directory)
    broken: AuditLogBrokenError | None = None
    seen: list[dict[str, Any]] = []
    names = _names(site)
    try:
        # what was read before a wrong record stays in the list
        seen.extend(named(record, names) for record in reading.records() if record.get("dataset") == arguments.dataset)
    except AuditLogBrokenError as error:
        broken = error
    found = [
        use
        for use in uses(seen, arguments.dataset, longest_use_s(site), time.time())
        if use.start < until and (use.end is None or use.end >= since)
    ]
    _write(found, arguments, reading.last)
    if broken:
        print(texts.ONLY_BEFORE(number=reading.last.seq).say(), file=sys.stderr)
        raise broken
    return 0


def _names(site: Settings) -> dict[int, str]:
    """Who has which number. Without the catalogue's database the audit log still shows numbers."""
    assert site.catalogue is not None
    try:
        engine = open_catalogue(site.catalogue)
    except FabricError as error:
        print(texts.NUMBERS_ONLY(why=whole(error)).say(), file=sys.stderr)
        return {}
    try:
        return PeopleStore(engine).names()
    finally:
        engine.dispose()


def _write(found: list[Use], arguments: argparse.Namespace, head: Head) -> None:
    rows = [row(use) for use in found]
    if arguments.json:
        document = {
            "dataset": arguments.dataset,
            "from": arguments.first.isoformat(),
            "to": arguments.last.isoformat(),
            "head": f"{head.seq}:{head.digest}",
            "uses": rows,
        }
        print(json.dumps(document, indent=2))
    elif arguments.csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**one, "responsible": " ".join(one["responsible"])} for one in rows)
    elif not rows:
        days = {"first": str(arguments.first), "last": str(arguments.last)}
        print(texts.NOBODY(dataset=arguments.dataset, **days).say())
    else:
        for one in rows:
            said = _("{start} to {end} ({ended}): {who} in {project}, for {purpose}").format(
                start=one["start"],
                end=one["end"] or "-",
                ended=one["ended"],
                who=one["user"] or f"uid {one['uid']}",
                project=one["project"] or _("no known project"),
                purpose=one["purpose"] or _("no stated purpose"),
            )
            print(said)
            print("    " + _("{dataset}, version {version}, job {job} on {node}").format(**one))


def row(use: Use) -> dict[str, Any]:
    """A use as an export has it: times as RFC 3339 in UTC, the dataset with the digest of what was used."""
    fields = use.model_dump(mode="json")
    return {
        **{name: fields[name] for name in COLUMNS},
        "dataset": use.digest,
        "start": moment(use.start),
        "end": None if use.end is None else moment(use.end),
    }

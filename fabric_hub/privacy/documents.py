"""JSON documents and files in which something personal stands, and what it is of a person. Pure.

A field of a model is one line: :class:`.model.Personal`, or None where it says nothing of a person.
"""

from __future__ import annotations

from typing import Final

from fabric_hub.messages.texts import privacy as texts

from .model import DELETE, FOLLOW, Document, Files, Personal, Purpose, Store, kept

_NAME: Final = Personal(texts.NAME())
_WHEN: Final = Personal(texts.WHEN())
_PLACE: Final = Personal(texts.PLACE())
_CHOICE: Final = Personal(texts.CHOICE())
_SESSION: Final = Personal(texts.SESSION())
_SITE_FILE: Final = kept(texts.KEPT_SITE_FILE())
_AUDIT: Final = kept(texts.KEPT_AUDIT())
_STEWARD: Final = kept(texts.KEPT_STEWARD())
_LIMITS: Final = kept(texts.KEPT_LIMITS())
# What the gateway has set in Slurm for projects; a test holds the columns to gateway/projects/record.py.
GATEWAY_LIMITS: Final = "projects.sqlite of the gateway: applied"
_MEMBER: Final = Personal(texts.NAME(), _SITE_FILE)
_PROVED: Final = Personal(texts.DATASET(), _AUDIT)
_PROVED_PLACE: Final = Personal(texts.PLACE(), _AUDIT)
_PROVED_NUMBER: Final = Personal(texts.PERSON_NUMBER(), _AUDIT)
_PROVED_WHEN: Final = Personal(texts.WHEN(), _AUDIT)

DOCUMENTS: Final = (
    Document(
        "fabric_hub.sessions.problems:ProblemReport",
        "problem_reports.report",
        Purpose.SUPPORT,
        texts.SETTING_DAYS(setting="reports.keep_days", days=90),
        {"user": _NAME, "at": _WHEN, "words": Personal(texts.WORDS()), "facts": Personal(texts.CHOICE())},
        Store.SESSIONS,
    ),
    Document(
        "fabric_hub.sessions.problems:Facts",
        "problem_reports.report.facts",
        Purpose.SUPPORT,
        texts.SETTING_DAYS(setting="reports.keep_days", days=90),
        {
            "reference": None,
            "page": Personal(texts.BROWSER()),
            "status": None,
            "session": _SESSION,
            "session_name": Personal(texts.GIVEN()),
            "job": _PLACE,
            "node": _PLACE,
            "project": _CHOICE,
            "profile": _CHOICE,
            "image": _CHOICE,
            "image_build": None,
            "end": Personal(texts.OUTCOME()),
            "hub": None,
            "hub_version": None,
            "browser": Personal(texts.BROWSER()),
            "language": Personal(texts.LANGUAGE()),
            "log": Personal(texts.OUTPUT()),
        },
        Store.SESSIONS,
    ),
    Document(
        "fabric_hub.sessions.held:Held",
        "held_sessions.held",
        Purpose.SESSIONS,
        texts.WHILE_SESSION(),
        {
            "session": _SESSION,
            "user": _NAME,
            "unix_account": Personal(texts.UNIX()),
            "job_id": _PLACE,
            "account": _CHOICE,
            "node": _PLACE,
            "started_at": _WHEN,
            "ends_at": _WHEN,
            "server_name": Personal(texts.GIVEN()),
            "project": _CHOICE,
            "profile": _CHOICE,
            "why": None,
            "openable": None,
            "since": _WHEN,
        },
        Store.SESSIONS,
    ),
    Document(
        "fabric_hub.budgets.month:DayPiece",
        "month_days.piece",
        Purpose.USAGE,
        texts.UNTIL_ERASED(),
        {
            "day": None,
            "asked_at": None,
            "hours": None,
            "begun": Personal(texts.SESSION(), kept(texts.KEPT_SESSION())),
        },
        Store.SESSIONS,
    ),
    Document(
        "fabric_hub.budgets.month:MonthSheet",
        "month_sheets.sheet",
        Purpose.USAGE,
        texts.UNTIL_ERASED(),
        dict.fromkeys(
            ("month", "made_at", "closed", "missing", "hours", "waits", "starts", "ready", "people", "idle")
        ),  # people: how many, by organisation
        Store.SESSIONS,
    ),
    Document(
        "fabric_hub.slurm.records:SessionFacts",
        "submissions.facts",
        Purpose.SESSIONS,
        texts.DAYS(n=400),
        {
            "server_name": Personal(texts.GIVEN()),
            "kind": _CHOICE,
            "project": _CHOICE,
            "account": _CHOICE,
            "profile": _CHOICE,
            "image": _CHOICE,
            "hours": _CHOICE,
            "datasets": Personal(texts.DATASET()),
            "gpus": _CHOICE,
            "created_at": _WHEN,
            "token_digest": Personal(texts.SECRET(), secret=True),
            "token_hash": Personal(texts.SECRET(), secret=True),
        },
        Store.LEDGER,
    ),
    Document(
        "fabric_hub.datasets.model:Contact",
        "datasets.entry.contact",
        Purpose.ACCESS,
        texts.UNTIL_STEWARD(),
        {
            "name": Personal(texts.CONTACT(), _STEWARD),
            "email": Personal(texts.CONTACT(), _STEWARD),
            "url": Personal(texts.CONTACT(), _STEWARD),
        },
        Store.CATALOGUE,
    ),
    Document(
        "fabric_hub.datasets.model:Agent",
        "datasets.entry.publisher, creator",
        Purpose.ACCESS,
        texts.UNTIL_STEWARD(),
        {"name": Personal(texts.CONTACT(), _STEWARD), "uri": Personal(texts.CONTACT(), _STEWARD)},
        Store.CATALOGUE,
    ),
    Document(
        "fabric_hub.catalogue.audit.log:Entry",
        "{catalogue.state_dir}/audit/*.jsonl",
        Purpose.PROOF,
        texts.WHILE_AUDIT(),
        {
            "event": _PROVED,
            "at": _PROVED_WHEN,
            "user": _PROVED_NUMBER,
            "person": _PROVED_NUMBER,
            "identity": Personal(texts.IDENTITY(), _AUDIT),  # its digest
            "responsible": _PROVED_NUMBER,
            "by": _PROVED_NUMBER,
            "project": _PROVED,
            "account": _PROVED,
            "purpose": _PROVED,
            "dataset": _PROVED,
            "version": _PROVED,
            "sha256": None,
            "agreement": _PROVED,
            "until": None,
            "node": _PROVED_PLACE,
            "job": _PROVED_PLACE,
            "uid": Personal(texts.UNIX(), _AUDIT),
            "why": Personal(texts.DECISION(), _AUDIT),
            "source": _PROVED_PLACE,
            "before": Personal(texts.DECISION(), _AUDIT),
            "after": Personal(texts.DECISION(), _AUDIT),
        },
        Store.CATALOGUE,
    ),
    Document(
        "fabric_hub.catalogue.ingest:NodeEvent",
        "{catalogue.published}/events/*.json",
        Purpose.PROOF,
        texts.DAYS(n=1),
        {
            "format": None,
            "event": Personal(texts.DATASET(), FOLLOW),
            "time": Personal(texts.WHEN(), FOLLOW),
            "node": Personal(texts.PLACE(), FOLLOW),
            "job": Personal(texts.PLACE(), FOLLOW),
            "uid": Personal(texts.UNIX(), FOLLOW),
            "account": Personal(texts.ROLE(), FOLLOW),
            "dataset": Personal(texts.DATASET(), FOLLOW),
            "version": Personal(texts.DATASET(), FOLLOW),
            "sha256": None,
            "why": Personal(texts.DECISION(), FOLLOW),
        },
        Store.CATALOGUE,
    ),
    Document(
        "fabric_hub.config.settings:Members",
        "site.toml [project.NAME.members]",
        Purpose.ACCESS,
        texts.WHILE_MEMBER(),
        {"owner": _MEMBER, "member": _MEMBER, "trainer": _MEMBER, "steward": _MEMBER, "visitor": _MEMBER},
    ),
    Document(
        "fabric_hub.config.settings:Members",
        "projects.json beside {catalogue.socket}",
        Purpose.ACCESS,
        texts.WHILE_MEMBER(),
        dict.fromkeys(("owner", "member", "trainer", "steward", "visitor"), Personal(texts.NAME(), FOLLOW)),
    ),
    Document(
        "fabric_hub.config.login:LoginSettings",
        "site.toml [login]",
        Purpose.LOGIN,
        texts.WHILE_MEMBER(),
        {
            "kind": None,
            "demo_file": Personal(texts.SECRET(), _SITE_FILE, secret=True),
            "admins": _MEMBER,
            "keep_case": None,
            "without_project": None,
            "provider": None,
            "accounts": None,
        },
    ),
)

FILES: Final = (
    Files(
        "{users.session_dir}/SESSION/session.log",
        Purpose.OPERATION,
        texts.DAYS(n=30),
        {"lines": Personal(texts.OUTPUT(), DELETE)},
    ),
    Files(
        "{users.session_dir}/SESSION/env.json, certificates",
        Purpose.SESSIONS,
        texts.WHILE_SESSION(),
        {"environment": Personal(texts.SECRET(), DELETE, secret=True)},
    ),
    Files(
        "{hub.state_dir}/certs/user-NAME+SERVER",
        Purpose.SESSIONS,
        texts.WHILE_SESSION(),
        {"certificate": Personal(texts.NAME(), DELETE), "key": Personal(texts.SECRET(), DELETE, secret=True)},
    ),
    Files(
        "{catalogue.published}/grants.json",
        Purpose.ACCESS,
        texts.WHILE_MEMBER(),
        {"uids": Personal(texts.UNIX(), FOLLOW)},
    ),
    Files(
        "{catalogue.state_dir}/uids.json",
        Purpose.ACCESS,
        texts.DAYS(n=1),
        {"names and uids": Personal(texts.UNIX(), DELETE)},
    ),
    Files(
        "site.toml [catalogue.stewards]",
        Purpose.ACCESS,
        texts.WHILE_MEMBER(),
        {"names": _MEMBER},
    ),
    Files(
        "login.accounts.table",
        Purpose.LOGIN,
        texts.WHILE_MEMBER(),
        {
            "issuer, subject": Personal(texts.IDENTITY(), _SITE_FILE),
            "account": Personal(texts.UNIX(), _SITE_FILE),
        },
    ),
    Files(
        "logs of hub, proxy, service, gateway, catalogue service and node agents",
        Purpose.OPERATION,
        texts.WHILE_LOGS(),
        {
            "names, addresses": Personal(texts.NAME(), kept(texts.KEPT_LOGS())),
            "identities without an account": Personal(texts.IDENTITY(), kept(texts.KEPT_LOGS())),
            "requests": Personal(texts.BROWSER(), kept(texts.KEPT_LOGS())),
        },
    ),
    Files(
        "mail to site.support_email, reports.hook, quotas.hook",
        Purpose.SUPPORT,
        texts.UNTIL_OWNER(),
        {"what was reported or warned of": Personal(texts.WORDS(), kept(texts.KEPT_OTHERS()))},
    ),
    Files(
        "fabric-hub backup",
        Purpose.SAFETY,
        texts.WHILE_BACKUPS(),
        {"databases, audit log": Personal(texts.EVERYTHING(), kept(texts.KEPT_BACKUPS()))},
    ),
    Files(
        "{state_dir}/before-restore-*, submissions.sqlite.broken-*",
        Purpose.SAFETY,
        texts.WHILE_BACKUPS(),
        {"databases, audit log": Personal(texts.EVERYTHING(), kept(texts.KEPT_BACKUPS()))},
    ),
    Files(
        GATEWAY_LIMITS,
        Purpose.ACCESS,
        texts.WHILE_FOLLOWED(),
        {
            "parent": None,
            "account": Personal(texts.ROLE(), _LIMITS),
            "user": Personal(texts.UNIX(), _LIMITS),
            "what": None,
            "value": Personal(texts.DECISION(), _LIMITS),
            "trying": Personal(texts.DECISION(), _LIMITS),
            "before": Personal(texts.DECISION(), _LIMITS),
        },
    ),
    Files(
        "Slurm: jobs, accounting",
        Purpose.USAGE,
        texts.WHILE_SLURM(),
        {
            "accounts": Personal(texts.UNIX(), kept(texts.KEPT_SLURM())),
            "jobs": Personal(texts.USE(), kept(texts.KEPT_SLURM())),
        },
    ),
)

"""Every sentence that only operators read, at a terminal, can be said in each language with everything it is about."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from string import Formatter
from types import ModuleType
from typing import Any

import pytest

from fabric_hub.messages import texts
from fabric_hub.messages.reader import Reader, languages
from fabric_hub.messages.text import Reason
from scripts.reference import messages as reference

# What is to be said, by module; a new sentence is added here.
CODES = {
    "audit": (
        "audit-changed", "audit-days-turned", "audit-ends-early", "audit-its-head", "audit-keep-files",
        "audit-no-end", "audit-no-head", "audit-nobody", "audit-none", "audit-not-a-head",
        "audit-not-canonical", "audit-not-following", "audit-not-json", "audit-not-the-heads",
        "audit-not-the-noted", "audit-noted-missing", "audit-numbers-only", "audit-only-before", "audit-other-number",
        "audit-record-missing", "audit-record-wrong", "audit-record-wrong-at-line", "audit-unfinished",
        "audit-unwritable", "audit-whole",
    ),
    "dataset_files": (
        "catalogue-no-account", "catalogue-of-other", "catalogue-of-root", "catalogue-password",
        "dataset-agreement-same-version", "dataset-exists", "dataset-field-kept", "dataset-field-unknown",
        "dataset-file-too-large", "dataset-file-unreadable", "dataset-incomplete", "dataset-lacks",
        "dataset-lacks-contact", "dataset-lacks-purposes", "dataset-lacks-terms", "dataset-lacks-version",
        "grant-no-project", "grant-no-project-at-all", "grant-over-already", "not-granted", "pack-ended-with",
        "pack-failed", "pack-looking", "pack-no-mksquashfs", "pack-packing", "pack-reading",
        "pack-reading-image", "site-without-datasets", "source-absolute-link", "source-and-more",
        "source-at-path", "source-changed-packing", "source-changed-reading", "source-device",
        "source-leads-out", "source-no-directory", "source-no-file", "source-no-kind", "source-pipe",
        "source-set-id", "source-shorter", "source-socket", "source-unfit", "source-unreadable",
        "store-unwritable", "version-cannot-read", "version-exists", "version-none-live",
        "version-none-published", "version-none-yet", "version-not-published", "version-other-digest",
        "version-other-size", "version-unknown",
    ),
    "doctor": (
        "doctor-accounts", "doctor-accounts-unknown", "doctor-an-operator", "doctor-as-owner", "doctor-as-root",
        "doctor-at-key", "doctor-catalogue", "doctor-catalogue-fails", "doctor-catalogue-on",
        "doctor-catalogue-silent", "doctor-catalogue-status", "doctor-certificates",
        "doctor-certificates-to-come", "doctor-certificates-unreadable", "doctor-clients-fail",
        "doctor-correct-line", "doctor-counts", "doctor-counts-not-all", "doctor-gateway", "doctor-gateway-on",
        "doctor-gateway-rights", "doctor-gateway-silent", "doctor-gateway-status", "doctor-gateway-unsure",
        "doctor-gpu-types", "doctor-gpu-types-unknown", "doctor-hidden", "doctor-hidden-unknown",
        "doctor-hides", "doctor-hides-not-from-level", "doctor-hides-nothing", "doctor-hub",
        "doctor-hub-silent", "doctor-hub-status", "doctor-hung-up", "doctor-image", "doctor-image-closed",
        "doctor-image-itself", "doctor-image-place", "doctor-in-partition", "doctor-in-slurm",
        "doctor-may-extend", "doctor-may-not-extend", "doctor-may-not-look", "doctor-may-not-reach",
        "doctor-meant-for-catalogue", "doctor-meant-for-gateway", "doctor-mend-first", "doctor-munge",
        "doctor-munge-on", "doctor-names-more", "doctor-names-none", "doctor-names-unknown",
        "doctor-no-account", "doctor-no-answer-within", "doctor-no-gpu-type", "doctor-no-homes",
        "doctor-no-munge", "doctor-no-partition", "doctor-no-proxy", "doctor-no-qos", "doctor-no-slurmctld",
        "doctor-no-slurmdbd", "doctor-no-such-user-shown", "doctor-node-agent", "doctor-node-agent-silent",
        "doctor-node-broken", "doctor-node-old", "doctor-not-built", "doctor-not-checked",
        "doctor-on-each-node", "doctor-on-the-nodes", "doctor-or-never-extend", "doctor-partitions",
        "doctor-partitions-unknown", "doctor-place", "doctor-place-missing", "doctor-problems",
        "doctor-profile", "doctor-program-says", "doctor-programs", "doctor-programs-missing", "doctor-project",
        "doctor-proxy", "doctor-proxy-node", "doctor-qos", "doctor-qos-unknown", "doctor-right",
        "doctor-service", "doctor-service-silent", "doctor-service-status", "doctor-shows-no-account",
        "doctor-shows-no-node", "doctor-shows-no-node-of", "doctor-shows-no-partition", "doctor-shows-no-qos",
        "doctor-site-file", "doctor-slurm-has", "doctor-slurm-late", "doctor-slurm-old", "doctor-slurm-silent",
        "doctor-slurmdbd", "doctor-slurmdbd-empty", "doctor-slurms-own-user", "doctor-start-first",
        "doctor-state-dir", "doctor-state-dir-fails", "doctor-state-dir-open", "doctor-when-built",
        "doctor-whether-hides", "doctor-write-or-take-out",
    ),
    "exchange": (
        "export-cannot-write", "export-checked", "export-croissant-name", "export-croissant-shapes",
        "export-no-publisher", "export-no-pyshacl", "export-no-shapes-named", "export-no-shapes-there",
        "export-no-such-published", "export-no-such-with-access", "export-nothing-published",
        "export-nothing-with-access", "export-pyshacl-failed", "export-shapes-unreadable", "import-a-draft",
        "import-cannot-read", "import-context-elsewhere", "import-described-anew", "import-exists",
        "import-has-one", "import-left-out", "import-neither-form", "import-no-dataset", "import-no-name",
        "import-no-place", "import-not-of-form", "import-not-of-list", "import-not-taken-over",
        "import-not-utf8", "import-one-agreement", "import-one-language", "import-one-licence",
        "import-one-page", "import-personal-words", "import-statement", "import-terms-are-text",
        "import-the-files", "import-too-deep", "import-too-large", "import-what-next",
    ),
    "folders": (
        "account-service", "folder-absent", "folder-differs", "folder-in-order", "folder-in-the-way",
        "folder-made", "folder-no-acls", "folder-no-owner", "folder-no-project",
        "folder-no-service-account", "folder-not-let-in", "folder-not-made", "folder-not-measured",
        "folder-not-root", "folder-not-set", "folder-parent-absent", "folder-parent-open",
        "folder-partly-closed", "folder-shared-owner", "folder-somebody-elses", "folder-there",
        "folder-title", "folder-too-large", "folder-too-many", "folder-unmeasurable", "folders-none",
    ),
    "images": (
        "image-asking-python", "image-building-front-end", "image-building-wheel", "image-cannot-build",
        "image-disk-full", "image-fetching", "image-hidden", "image-importing", "image-installing",
        "image-installing-wheel", "image-live", "image-making-environment", "image-no-ipykernel",
        "image-no-lock-file", "image-no-python", "image-no-recipes", "image-no-uv", "image-no-variant",
        "image-not-ended", "image-program-missing", "image-ready", "image-recipe-wrong", "image-removing-old",
        "image-removing-unfinished", "image-say-building-front-end", "image-say-building-wheel",
        "image-say-fetching", "image-say-installing", "image-say-testing", "image-step-failed", "image-testing",
        "image-unknown", "image-wheels",
    ),
    "month": (
        "month-days-missing", "month-failed", "month-gpu-hours", "month-idle", "month-idle-not-recorded",
        "month-not-known", "month-people", "month-ready", "month-ready-not-recorded", "month-starts",
        "month-waits", "no-such-month",
    ),
    "problems": ("no-report", "report-again", "report-words", "too-many-reports"),
    "project_changes": (
        "project-above-cap", "project-account-taken", "project-asks-already", "project-budget-needs-operator",
        "project-create-needs-operator", "project-data-need-operator", "project-dates-need-operator",
        "project-dates-turned", "project-exists", "project-has-non-public-data", "project-in-file",
        "project-is-clients", "project-kept-already", "project-last-owner", "project-no-image",
        "project-no-profile", "project-not-from-hub", "project-not-in-file", "project-not-in-from-hub",
        "project-not-owner", "project-other-account", "project-paused-by-operator", "project-paused-elsewhere",
        "project-person-other-role", "project-person-unknown", "project-too-many-owners", "project-unfit",
        "project-unknown", "project-without-limit", "project-without-owner", "projects-none-in-file",
        "projects-without-catalogue",
    ),
    "site_file": (
        "accounts-pool-too-large", "accounts-without",
        "extra-config-missing", "extra-config-unseen", "folders-shared",
        "mail-login", "mail-password-in-clear", "mail-to-nobody",
        "nodes-ca-missing", "setting-a-list", "setting-a-table",
        "setting-above", "setting-accent-not-seen", "setting-at-least", "setting-at-most", "setting-below",
        "setting-braces",
        "setting-ca-of-no-use", "setting-default-hours", "setting-gpus-and-shards", "setting-host-only",
        "setting-idle-warning", "setting-local-profile", "setting-logo-active", "setting-logo-no-picture",
        "setting-logo-too-large", "setting-logo-unreadable", "setting-must-be", "setting-must-be-better",
        "setting-needs-slurm", "setting-no-such-reference", "setting-not-absolute", "setting-one-of",
        "setting-other-host", "setting-password-in-url", "setting-plain-tokens", "setting-project-dates",
        "setting-quota-of-user", "setting-quota-project", "setting-required", "setting-rescue-dir",
        "setting-rescue-has-gpus", "setting-same-database", "setting-starter-above-cap",
        "setting-starter-for-nobody", "setting-starter-without-end", "setting-such-as", "setting-such-as-better",
        "setting-unknown", "setting-write", "setting-write-domain", "setting-write-several", "site-ask-doctor",
        "site-change-lines", "site-every-authority", "site-file-has-mistakes", "site-file-line",
        "site-file-mistakes", "site-file-not-toml", "site-file-not-utf8", "site-file-right",
        "site-file-unreadable", "site-images", "site-internal-tls", "site-name-as-hub", "site-name-as-slurm",
        "site-note", "site-one-address", "site-own-authorities", "site-places-left-out", "site-plain-http",
        "site-profiles", "site-projects", "site-section-renamed", "site-this-host-only", "site-unit-renamed",
        "site-with-slurm", "site-without-slurm",
    ),
    "startup": (
        "catalogue-cannot-publish", "catalogue-cannot-take-in", "catalogue-failed-at",
        "database-cannot-open-file", "database-cannot-open-server", "database-cannot-write-file",
        "database-no-driver", "database-other-release", "gateway-may-not-become", "proxy-unit-cannot-listen",
        "proxy-unit-refuses", "proxy-unit-silent", "startup-catalogue-database", "startup-catalogues-account",
        "startup-clock", "startup-hubs-user", "startup-lease-taken", "startup-lease-unwritable",
        "startup-no-datasets", "startup-no-directory", "startup-no-secret", "startup-no-site-file",
        "startup-no-state-dir", "startup-not-hubs-directory", "startup-other-account", "startup-other-socket",
        "startup-path-too-long", "startup-req-runtime", "startup-sessions-database",
        "startup-state-dir-unwritable",
    ),
    "usage": (
        "usage-from-after-to", "usage-hours", "usage-in-place-of", "usage-no-project",
        "usage-no-project-at-all", "usage-not-complete", "usage-not-summed-up", "usage-of-all",
        "usage-of-project", "usage-state-dir-unreadable",
    ),
}  # fmt: skip
# A sample for each way to format a parameter: what it is given, and what must be seen of it.
SAMPLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "number": (2.5, ("2",)),
    "size": (3e9, ("3",)),
    "hours": (2.5, ("2",)),
    "day": ("2027-01-31", ("31", "2027")),
    "clock": (0.0, (":",)),
    "list": (("one", "two"), ("one", "two")),
    "either": (("one", "two"), ("one", "two")),
    "lines": (("one", "two"), ("one\ntwo",)),
    "indented": (("one", "two"), ("  one\n  two",)),
    "capital": ("one", ("one",)),
    "phrase": ("one", ("one",)),
}


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{texts.__name__}.{name}")


def samples(reason: Reason) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    for template in (reason.text, reason.plural, reason.hint):
        for _, name, kind, _ in Formatter().parse(template):
            if name == "n":
                yield name, 2, ()
            elif name:
                given, seen = SAMPLES[kind] if kind else (f"<{name}>", (f"<{name}>",))
                yield name, given, seen


@pytest.mark.parametrize("name", CODES)
def test_it_is_said_in_each_language_with_everything_that_it_is_about(name: str) -> None:
    reasons = reference.reasons(module(name))
    assert tuple(one.code for one in reasons) == CODES[name]
    for reason in reasons:
        about = list(samples(reason))
        text = reason(**{"n": 2, **{field: given for field, given, _ in about}})
        for language in languages():
            said = " ".join(part.say(Reader(language)) for part in (text, text.hint) if part)
            assert "{" not in said.replace("{user}", "").replace('{"', ""), said
            assert [seen for _, _, all_seen in about for seen in all_seen if seen not in said] == [], said

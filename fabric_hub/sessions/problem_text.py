"""A report of a problem as people read it: on the page before it is sent, in a mail, and for operators. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from fabric_hub.messages.translation import gettext as _

from .problems import Facts, ProblemReport


def lines_of(facts: Facts) -> list[tuple[str, str]]:
    """What is sent beside a person's words and the log: what it is called, and what it is; without what is not known.

    For whoever reads what is made now.
    """
    session = f"{facts.session_name or _('default')} ({facts.session})" if facts.session else ""
    image = f"{facts.image} ({facts.image_build})" if facts.image_build else facts.image
    known = [
        (_("Reference"), facts.reference),
        (_("Page"), facts.page),
        (_("Error"), str(facts.status or "")),
        (_("Session"), session),
        (_("Job"), str(facts.job or "")),
        (_("Node"), facts.node),
        (_("Project"), facts.project),
        (_("Profile"), facts.profile),
        (_("Image"), image),
        (_("How it ended"), facts.end),
        (_("Hub"), facts.hub),
        (_("Version of the hub"), facts.hub_version),
        (_("Browser"), facts.browser),
        (_("Language"), facts.language),
    ]
    return [(name, value) for name, value in known if value]


def as_text(report: ProblemReport) -> str:
    """A whole report as plain text, with its time in UTC."""
    at = datetime.fromtimestamp(report.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    told = [(_("Person"), report.user), (_("Time"), at), *lines_of(report.facts)]
    # first what the hub says: what a person typed may look like it
    parts = ["\n".join(f"{name}: {value}" for name, value in told), report.words.strip()]
    if report.facts.log:
        parts.append("\n".join((_("Last lines of the session's log") + ":", *report.facts.log)))
    return "\n\n".join(parts) + "\n"

"""Who may call what."""

from __future__ import annotations

from fabric_hub.service.callers import CATALOGUE, GATEWAY, HUB, SERVICE, Caller, Line

from .markdown import NOTE, cell, table

WHO_INTRO = """Every call that we add to JupyterHub's own, and who may make it: nobody else is let in.
The tests hold this list to the code. Why it is so: [what is trusted](../explanation/security.md)."""

SERVICE_CALLERS = """At the hub's public address. A token is one of the hub's and has all scopes that are named;
`access:services` stands for the first, too."""

HUB_CALLERS = """What we add to the hub itself or change in it; `*` is every verb. All else is JupyterHub's own."""

GATEWAY_CALLERS = """On the Unix socket `gateway.socket`, in a directory that lets in the hub's account only.
What its verbs refuse beside that: [its API](../architecture.md)."""

CATALOGUE_CALLERS = """On the Unix socket `catalogue.socket`, in a directory that lets in the hub's account only.
No verb grants anything new: a steward whom the site's file names confirms what an operator had granted before."""

WHO_SECTIONS = (
    ("The service", SERVICE_CALLERS, SERVICE),
    ("The hub", HUB_CALLERS, HUB),
    ("The gateway", GATEWAY_CALLERS, GATEWAY),
    ("The catalogue service", CATALOGUE_CALLERS, CATALOGUE),
)


def who_may_call_page() -> str:
    """Who may call what, from the list that the tests hold to the code."""
    text = f"{NOTE}# Who may call what\n\n{WHO_INTRO}\n"
    for title, about, lines in WHO_SECTIONS:
        text += f"\n## {title}\n\n{about}\n\n"
        text += table(("call", "who", "scopes", "what checks it", "notes"), [_who(line) for line in lines])
    return text


def _who(line: Line) -> tuple[str, ...]:
    caller = line.caller
    who = "anybody" if caller is Caller.ANYBODY else caller.who
    check = f"`{caller.check}`" if caller.check else "nothing"
    return f"`{line.operation}`", who, ", ".join(f"`{scope}`" for scope in caller.scopes), check, cell(line.note)

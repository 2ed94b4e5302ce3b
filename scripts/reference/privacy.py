"""What is kept of people."""

from __future__ import annotations

from fabric_hub.privacy.model import Store
from fabric_hub.privacy.register import as_json

from .markdown import NOTE, cell, table

INTRO = """Every personal field that Fabric Hub keeps: what it is of a person, what it is for, for how long it is kept,
and what `fabric-hub privacy erase` does to it. `fabric-hub privacy register` prints it with the legal basis that the
site's file states (`privacy.basis`), as JSON with `--json`, in Dutch with `--language nl`. A test fails for a
field that is not in here. How it works: [privacy as code](../explanation/privacy.md)."""

HEADS = {
    Store.SESSIONS: "The record of sessions",
    Store.JUPYTERHUB: "JupyterHub's own database",
    Store.CATALOGUE: "The catalogue service: its database, the audit log",
    Store.LEDGER: "The gateway's ledger",
    Store.FILES: "Files and documents",
}


def privacy_page() -> str:
    """The register of personal fields, by store."""
    text = f"{NOTE}# What is kept of people\n\n{INTRO}\n"
    lines = as_json(None)
    for store, head in HEADS.items():
        rows = [
            (f"`{line['place']}`", f"`{line['field']}`", *(cell(line[key]) for key in KEYS))
            for line in lines
            if line["store"] == store.value
        ]
        text += f"\n## {head}\n\n"
        text += table(("place", "field", "what it is", "what for", "kept", "when the person is erased"), rows)
    return text


KEYS = ("what", "purpose_said", "kept", "erasure_said")

"""Every change that we make to JupyterHub's behaviour."""

from __future__ import annotations

from fabric_hub.hub.patches import NEEDED_TESTS, PATCHES
from fabric_hub.hub.patches.patch import Patch

from .markdown import NOTE, code, table

PATCHES_INTRO = f"""What the hub changes in JupyterHub and in what it runs on, beside its settings.
Each is made for the versions that somebody has looked at; with another one the hub starts, and its log names the patch.
The tests run the library without the patch and show what is said here; one that fails says that its patch can go:
`{NEEDED_TESTS}`."""


def patches_page() -> str:
    """Every change that we make to a library's behaviour."""
    return f"{NOTE}# Changes of JupyterHub's behaviour\n\n{PATCHES_INTRO}\n" + "".join(map(_patch, PATCHES))


def _patch(patch: Patch) -> str:
    name = patch.module if "." in patch.module else f"fabric_hub.hub.patches.{patch.module}"
    path = f"{name.replace('.', '/')}.py"
    rows = [("of", f"{patch.package} {code(patch.versions)}"), ("in", f"[{path}](../../{path})")]
    if patch.replaces:
        rows.append(("replaces", ", ".join(f"`{replaced}`" for replaced in patch.replaces)))
    rows.append(("test", f"`{patch.needed_test}`"))
    if patch.upstream:
        links = (f"[{link.removeprefix('https://github.com/')}]({link})" for link in patch.upstream)
        rows.append(("upstream", ", ".join(links)))
    return f"\n## {patch.name}\n\n{patch.what}\n\n*Without it:* {patch.why}\n\n" + table(("", ""), rows)

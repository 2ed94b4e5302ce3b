"""Write docs/reference from the code: settings, commands, APIs, who may call them, our patches, what people are told.

``python -m scripts.make_reference`` writes the pages; ``--check`` writes nothing and
ends with status 1 when a page differs from what the code says.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import cast

from fabric_hub.catalogue.api import Verbs as CatalogueVerbs
from fabric_hub.catalogue.server import create_app as catalogue_app

from .reference.apis import (
    CATALOGUE_INTRO,
    GATEWAY_INTRO,
    SERVICE_INTRO,
    api_page,
    gateway_openapi,
    problem_schema,
    service_openapi,
)
from .reference.callers import who_may_call_page
from .reference.commands import command_line_page
from .reference.markdown import REFERENCE, ROOT
from .reference.messages import messages_page
from .reference.patches import patches_page
from .reference.privacy import privacy_page
from .reference.settings import settings_page


def pages() -> dict[Path, str]:
    """Every generated file with its text."""
    service, gateway = service_openapi(), gateway_openapi()
    catalogue_service = catalogue_app(cast("CatalogueVerbs", None)).openapi()
    for document in (gateway, catalogue_service):
        document.setdefault("components", {}).setdefault("schemas", {}).setdefault("Problem", problem_schema())
    return {
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "command-line.md": command_line_page(),
        REFERENCE / "patches.md": patches_page(),
        REFERENCE / "messages.md": messages_page(),
        REFERENCE / "privacy.md": privacy_page(),
        REFERENCE / "openapi.json": json.dumps(service, indent=2, sort_keys=True) + "\n",
        REFERENCE / "service-api.md": api_page("The service's API", SERVICE_INTRO, service),
        REFERENCE / "gateway-api.md": api_page("The gateway's API", GATEWAY_INTRO, gateway),
        REFERENCE / "who-may-call.md": who_may_call_page(),
        REFERENCE / "catalogue-api.md": api_page("The catalogue service's API", CATALOGUE_INTRO, catalogue_service),
    }


def stale(wanted: dict[Path, str]) -> list[str]:
    """The generated files that are missing or differ from what the code says."""
    return [
        str(path.relative_to(ROOT))
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write the pages, or only check them."""
    parser = argparse.ArgumentParser(prog="python -m scripts.make_reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a page is not up to date")
    wanted = pages()
    old = stale(wanted)
    if parser.parse_args().check:
        for name in old:
            print(f"{name} is not up to date; run make docs.")
        return 1 if old else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in wanted.items():
        if str(path.relative_to(ROOT)) in old:
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {path.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

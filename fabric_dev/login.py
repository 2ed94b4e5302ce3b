"""Login of the embedded run: a password of its own for each demo account."""

from __future__ import annotations

import asyncio
import hmac
import json
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from fabric_hub.types import login_name


class DemoAuthenticator(Authenticator):  # type: ignore[misc]
    """Passwords from a JSON file ``{user: password}`` that only the hub's user can read. For demonstrations only."""

    demo_file = Unicode(help="The file with the passwords.").tag(config=True)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        passwords = json.loads(await asyncio.to_thread(Path(self.demo_file).read_text))
        name = data["username"]
        name = name if name in passwords else login_name(name)  # as JupyterHub writes it after the login
        # compared also for unknown names, so that the time taken tells nothing
        right = hmac.compare_digest(data["password"].encode(), str(passwords.get(name, "")).encode())
        return name if right and name in passwords else None

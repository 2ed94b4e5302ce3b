"""The files of the hub's pages, as the service gives them."""

from __future__ import annotations

from pathlib import Path

import httpx
from fastapi import FastAPI

from fabric_hub.service.app import serve_static


async def test_the_pages_files_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    files = tmp_path / "static"
    files.mkdir()
    (files / "start.js").touch()
    (tmp_path / "secret.py").touch()
    app = FastAPI()
    serve_static(app, files)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        assert (await client.get("/services/fabric/static/start.js")).status_code == 200
        for path in ("../secret.py", "..%2fsecret.py", "%2e%2e/secret.py", ""):
            assert (await client.get(f"/services/fabric/static/{path}")).status_code == 404

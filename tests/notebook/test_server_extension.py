"""What the session's server offers: our endpoint, and a normal JupyterLab with our front end."""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.answering_hub import SESSION, TOKEN, AnsweringHub
from tests.support.running_session import RunningSession, session_environment

pytestmark = pytest.mark.image

OUR_ROUTES = """
import json
from unittest.mock import patch
from jupyter_server.serverapp import ServerApp
import fabric_lab.server.extension as ours
app = ServerApp()
app.init_ioloop()
app.initialize(argv=["--allow-root"], new_httpserver=False, find_extensions=False)
with patch.object(app.web_app, "add_handlers", wraps=app.web_app.add_handlers) as added:
    ours._load_jupyter_server_extension(app)
verbs = "get post put patch delete head".split()
own = lambda cls, verb: verb in {name for c in cls.__mro__ if c.__module__.startswith("fabric_lab") for name in vars(c)}
print(json.dumps([[route[0], verb] for call in added.call_args_list for route in call.args[1]
                  for verb in verbs if own(route[1], verb)]))
"""


def test_no_endpoint_of_ours_answers_without_authentication(
    python: Path, session: RunningSession, hub: AnsweringHub, tmp_path: Path
) -> None:
    # as in a session: outside of one there are fewer
    environment = session_environment(hub.url) | {"PATH": os.defpath, "HOME": str(tmp_path)}
    listed = subprocess.run(
        [python, "-I", "-c", OUR_ROUTES], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    routes = json.loads(listed.stdout.splitlines()[-1])
    assert ["/fabric/session", "get"] in routes
    assert ["/fabric/clusters", "post"] in routes
    assert ["/fabric/extend", "post"] in routes
    assert ["pdf", "get"] in [[re.sub(r".*<format>(pdf).*", r"\1", pattern), verb] for pattern, verb in routes]
    assert len(routes) >= 22
    for pattern, verb in routes:
        route = re.sub(r"\(\[.*\)\?\)", "wind-farm", pattern)
        route = re.sub(r"\(\?P<format>pdf\).*", "pdf/wind.ipynb", route)
        for token in (None, "somebody-elses-token"):
            status, text = session.get(route.lstrip("/"), token=token, method=verb.upper())
            # a page sends people to the login
            login = status == 302 and ("/fabric/dask/" in route or route == "/nbconvert/pdf/wind.ipynb")
            assert status in (401, 403) or login, f"{verb} {route} answered {status} to {token}: {text}"
    # the same handler's other door
    socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x"}
    status, text = session.get("fabric/dask/study/ws", token=None, headers=socket)
    assert status in (401, 403), f"a websocket was answered with {status}: {text}"


def test_the_session_endpoint_joins_the_jobs_word_and_the_hubs(session: RunningSession, hub: AnsweringHub) -> None:
    status, text = session.get("fabric/session")
    assert status == 200, text
    assert json.loads(text) == {
        "session": "abcdefgh2345",
        "project": "twin",
        "project_title": "Digital Twin",
        "profile": "gpu-1",
        "image": "base",
        "node": "gpu1",
        "job_id": 4711,
        "gpus": json.loads(text)["gpus"],
        "gpu_count": 1,
        "ends_at": SESSION["ends_at"],
        "hub": SESSION,
        "problem": "",
    }
    assert json.loads(text)["gpus"][0]["index"] == 0
    assert TOKEN not in text
    for _ in range(5):
        session.get("fabric/session")
    assert hub.sessions_asked == 1


def test_the_hub_is_asked_for_clusters_once_for_all_tabs(session: RunningSession, hub: AnsweringHub) -> None:
    with ThreadPoolExecutor(5) as tabs:
        told = list(tabs.map(lambda _: session.get("fabric/clusters"), range(5)))
    assert [status for status, _ in told] == [200] * 5
    assert [json.loads(body)["profiles"] for _, body in told] == [hub.clusters["profiles"]] * 5
    assert hub.clusters_asked == 1


def test_without_the_hub_the_endpoint_tells_what_it_knows_and_why(session: RunningSession, hub: AnsweringHub) -> None:
    hub.silent = True
    status, text = session.get("fabric/session")
    known = json.loads(text)
    assert status == 200
    assert known["hub"] is None
    assert known["problem"] == "The hub does not answer (HTTP 503). Your notebook and kernels are not affected."
    assert (known["project"], known["node"], known["gpu_count"]) == ("twin", "gpu1", 1)


def test_the_page_is_a_normal_jupyterlab_with_our_front_end(session: RunningSession) -> None:
    status, page = session.get("lab")
    assert status == 200
    found = re.search(r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    config = json.loads(found.group(1))
    extensions = {extension["name"] for extension in config["federated_extensions"]}
    assert {"fabric-lab", "@jupyter-widgets/jupyterlab-manager"} <= extensions
    assert config["appVersion"].startswith("4.6.")
    assert config["terminalsAvailable"] is True
    assert config["hubUser"] == "ann"
    for path in ("api/kernelspecs", "lab/api/settings", "lab/api/themes", "lab/api/translations", "api/terminals"):
        status, text = session.get(path)
        assert status in (200, 404) if path.endswith("themes") else status == 200, (path, status, text)


def test_nothing_is_asked_outside_the_cluster(session: RunningSession) -> None:
    """Extension manager, news and update checks are off, whatever a user's own files say."""
    assert json.loads(session.get("lab/api/news")[1]).get("news") == []
    assert json.loads(session.get("lab/api/update")[1]).get("notification") is None
    assert "Extension Manager is 'readonly'" in session.log
    # and nobody is asked whether it should be
    settings = json.loads(session.get("lab/api/settings/@jupyterlab/apputils-extension:notification")[1])["schema"]
    assert settings["properties"]["fetchNews"]["default"] == "false"
    assert settings["properties"]["checkForUpdates"]["default"] is False
    status, text = session.get("lab/api/extensions?refresh=1")
    assert status == 200, text

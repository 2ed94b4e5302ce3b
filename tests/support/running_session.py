"""One launcher process in a private directory, as the batch script starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from .answering_hub import ACCESS, TOKEN, AnsweringHub
from .waiting import until


def session_environment(hub_url: str, **more: str) -> dict[str, str]:
    """What the hub's spawner tells a session, tokens included."""
    return {
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "JPY_API_TOKEN": TOKEN,
        "JUPYTERHUB_USER": "ann",
        "JUPYTERHUB_SERVER_NAME": "",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ann",
        "JUPYTERHUB_API_URL": f"{hub_url}/hub/api",
        "JUPYTERHUB_HOST": "",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ann/",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/ann/oauth_callback",
        "JUPYTERHUB_OAUTH_SCOPES": json.dumps([ACCESS]),
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([ACCESS]),
        "JUPYTERHUB_ACTIVITY_URL": f"{hub_url}/hub/api/users/ann/activity",
        "FABRIC_SERVICE_URL": f"{hub_url}/services/fabric/api",
        "FABRIC_SESSION": "abcdefgh2345",
        "FABRIC_PROJECT": "twin",
        "FABRIC_PROFILE": "gpu-1",
        "FABRIC_IMAGE": "base",
        **more,
    }


class RunningSession:
    """Starts the launcher; ``log`` is all that it has printed.

    :param libraries: a directory whose shared libraries come before the system's.
    """

    def __init__(
        self,
        python: Path,
        directory: Path,
        environment: dict[str, str],
        *,
        mode: int = 0o600,
        files: dict[str, Path] | None = None,
        libraries: Path | None = None,
    ) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        self.private = directory / "session"
        self.private.mkdir(mode=0o700)
        env_file = self.private / "env.json"
        env_file.write_text(json.dumps({"environment": environment}))
        env_file.chmod(mode)
        for name, source in (files or {}).items():
            (self.private / name).write_bytes(source.read_bytes())
        self.log = ""
        base = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SLURM_JOB_ID": "4711"}
        base["TMPDIR"] = tempfile.gettempdir()
        self.process = subprocess.Popen(
            [str(python), "-I", "-m", "fabric_lab.launch", "--session-dir", str(self.private)],
            env=base
            | {"SLURMD_NODENAME": "gpu1", "CUDA_VISIBLE_DEVICES": "0"}
            | ({"LD_LIBRARY_PATH": str(libraries)} if libraries else {}),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._new = threading.Condition()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._new:
                self.log += line
                self._new.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._reader.join(60)
        if self.process.stdout:
            self.process.stdout.close()
        print(self.log)

    def wait_for_line(self, text: str, timeout_s: float = 60) -> None:
        with self._new:
            assert self._new.wait_for(lambda: text in self.log, timeout_s), f"{text!r} is not in:\n{self.log}"

    def announced_by(self, hub: AnsweringHub, timeout_s: float = 60) -> RunningSession:
        """Wait until the hub knows the port."""

        def announced() -> bool:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log}"
            return hub.announced.is_set()

        until(announced, "the hub knows the port", timeout_s, seen=lambda: self.log)
        self.port: int = hub.announcements[-1].body["port"]
        return self

    def kernel_listens(self) -> bool:
        """Whether the only kernel hears its page: what is run in a notebook before is forgotten."""
        status, answer = self.get("api/kernels")
        if status != 200:  # one of them ended while they were listed
            return False
        kernels = json.loads(answer)
        return [(kernel["execution_state"], kernel["connections"] > 0) for kernel in kernels] == [("idle", True)]

    def get(
        self,
        path: str,
        token: str | None = TOKEN,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and text of an answer of this session's server."""
        headers = {**({"Authorization": f"token {token}"} if token else {}), **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.port}/user/ann/{path}"
        request = urllib.request.Request(url, headers=headers, method=method, data=data)
        opener = urllib.request.build_opener(_Stay)
        try:
            with opener.open(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None

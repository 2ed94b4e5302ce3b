"""What a person does first works, whatever the home holds: modules beside the notebook, pip, a terminal, Slurm."""

from __future__ import annotations

import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.answering_hub import TOKEN, AnsweringHub
from tests.support.kernel import Kernel
from tests.support.running_session import RunningSession, session_environment
from tests.support.terminal import Terminal

pytestmark = pytest.mark.image

WHEEL = {
    "weather/__init__.py": "def today(): return 'rain'\ndef main(): print('it will rain')\n",
    "weather-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: weather\nVersion: 1.0\n",
    "weather-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "weather-1.0.dist-info/entry_points.txt": "[console_scripts]\nweather = weather:main\n",
}


@contextmanager
def kernel(session: RunningSession, name: str = "python3", path: str = "") -> Iterator[Kernel]:
    opened = Kernel(session, name, path)
    opened.until("idle")
    yield opened
    opened.close()


@pytest.fixture
def terminal(session: RunningSession) -> Iterator[Terminal]:
    opened = Terminal.of(session)
    yield opened
    opened.close()


def write_wheel(directory: Path) -> Path:
    """A small package to install, ``weather``."""
    path = directory / "weather-1.0-py3-none-any.whl"
    record = "".join(f"{name},,\n" for name in (*WHEEL, "weather-1.0.dist-info/RECORD"))
    with zipfile.ZipFile(path, "w") as file:
        for name, text in {**WHEEL, "weather-1.0.dist-info/RECORD": record}.items():
            file.writestr(name, text)
    return path


def test_a_module_beside_the_notebook_is_imported_and_the_homes_own_packages_are_not(
    session: RunningSession, python: Path
) -> None:
    below = session.home / "course/week 1"
    below.mkdir(parents=True)
    (below / "mymod.py").write_text("answer = 42\n")
    version = next(python.parents[1].glob("lib/python3*")).name
    user = session.home / f".local/lib/{version}/site-packages"
    user.mkdir(parents=True)
    (user / "numpy.py").write_text("raise SystemExit('a package of the home directory was imported')\n")
    with kernel(session, path="course/week 1/first.ipynb") as opened:
        assert opened.run("import mymod, numpy; print(mymod.answer)").strip() == "42"


def test_pip_installs_beside_the_image_for_as_long_as_the_session(
    session: RunningSession, terminal: Terminal, python: Path, tmp_path: Path
) -> None:
    wheel = write_wheel(tmp_path)
    (session.home / ".config/pip").mkdir(parents=True)
    (session.home / ".config/pip/pip.conf").write_text("[install]\nuser = yes\n")
    with kernel(session) as opened:
        said = opened.run(f"%pip install --no-index {wheel} numpy")
        assert "Successfully installed weather-1.0" in said
        assert "Requirement already satisfied: numpy" in said, "the image's packages are there, too"
        place = Path(opened.run("import weather, fabric_lab; print(weather.__file__)").strip())
    assert terminal.run("python -c 'import weather; print(weather.today())'") == "rain"
    assert terminal.run("weather") == "it will rain"
    assert "weather" in terminal.run("pip list --format=freeze")
    assert not place.is_relative_to(session.home)
    assert place.parents[4].stat().st_mode & 0o077 == 0 or place.parents[5].stat().st_mode & 0o077 == 0
    session.process.terminate()
    assert session.process.wait(60) == 0
    assert not place.exists(), "it goes with the session"
    assert not list(python.parents[1].glob("lib/*/site-packages/weather*")), "and was never in the image"


def test_a_terminal_has_the_images_programs_whatever_login_files_set(
    python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        hostile = session.home / "bin"
        hostile.mkdir()
        (hostile / "python").write_text("#!/bin/sh\necho the wrong one\n")
        (hostile / "python").chmod(0o755)
        profile = f"PATH={hostile}:/usr/bin:/bin; export SITE=here; hello() {{ echo hello; }}\n"
        (session.home / ".bash_profile").write_text(profile)
        session.announced_by(hub)
        opened = Terminal.of(session)
        assert opened.run("python -c 'import sys, fabric_lab; print(\"right\")'") == "right"
        assert opened.run("which jupyter") == str(python.parents[1].resolve() / "bin/jupyter")
        assert opened.run("echo $SITE; hello") == "here\nhello", "it is a login shell besides"
        assert opened.run("python -m fabric_lab.access") == TOKEN
        opened.close()


def test_what_cells_and_terminals_start_is_on_a_login_node(session: RunningSession, terminal: Terminal) -> None:
    """Slurm's clients take SLURM_* for wishes, and sbatch writes its whole environment into Slurm's records."""
    with kernel(session) as opened:
        in_cell = dict(json.loads(opened.run("import os, json; print(json.dumps(dict(os.environ)))")))
        assert opened.run("from fabric_lab import access; print(access.token())").strip() == TOKEN
        assert opened.run(
            "from fabric_lab.common import facts; print(facts.combine(os.environ, None)['job_id'])"
        ).strip() == ("4711")
    in_terminal = dict(
        line.split("=", 1) for line in terminal.run("env -0 | tr '\\n\\0' ' \\n'").split("\n") if "=" in line
    )
    for environment in (in_cell, in_terminal):
        names = [name for name in environment if name.startswith(("SLURM", "SBATCH", "SRUN", "SALLOC", "PMI"))]
        assert names == []
        assert environment["FABRIC_JOB_ID"] == "4711"
        assert environment["CUDA_VISIBLE_DEVICES"] == "0"
        assert TOKEN not in "".join(environment.values())


def test_a_proxy_that_a_cell_sets_never_hears_the_token(session: RunningSession, hub: AnsweringHub) -> None:
    heard: list[bytes] = []  # whatever it is, so no HTTP server listens here
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(65536))

        threading.Thread(target=listen, daemon=True).start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with kernel(session) as opened:
            opened.run(f"import os; os.environ['http_proxy'] = os.environ['https_proxy'] = '{proxy}'")
            opened.run("import os; from fabric_lab import client, service")
            clusters = "client.HubClient(os.environ).ask('/clusters').unwrap()['age_s']"
            said = opened.run(f"print({clusters}, service.call()[0]['project'])")
            assert said.split() == ["None", "twin"]
        listener.shutdown(socket.SHUT_RDWR)
    assert heard == []


def test_the_images_kernel_comes_first_and_a_broken_one_says_why(
    python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        kernels = session.home / ".local/share/jupyter/kernels"
        for name, text in (
            (
                "python3",
                json.dumps({"argv": ["/gone/bin/python", "-f", "x"], "display_name": "Old", "language": "python"}),
            ),
            ("mine", json.dumps({"argv": ["/gone/too"], "display_name": "Mine", "language": "python"})),
            ("torn", '{"argv": ['),
        ):
            (kernels / name).mkdir(parents=True)
            (kernels / name / "kernel.json").write_text(text)
        session.announced_by(hub)
        told = json.loads(session.get("api/kernelspecs")[1])
        names = {name: one["spec"]["display_name"] for name, one in told["kernelspecs"].items()}
        assert told["default"] == "python3"
        assert names == {
            "python3": "Python 3 (ipykernel)",
            "python3-home": "Old (home directory)",
            "mine": "Mine",
        }
        with kernel(session) as opened:
            assert opened.run("print('the image')").strip() == "the image"
        for name, program, place in (("python3-home", "/gone/bin/python", "python3"), ("mine", "/gone/too", "mine")):
            status, text = session.get("api/kernels", method="POST", body={"name": name})
            assert status == 409
            assert f"Kernel {name} cannot be started: {program}: No such file or directory." in text
            assert str(kernels / place) in text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".jupyter/jupyter_server_config.py", 'c.ServerApp.kernel_manager_class = "gone.Gone"\n'),
        (".jupyter/jupyter_server_config.py", "raise SystemExit(3)\n"),
        (".jupyter/jupyter_server_config.json", '{"ServerApp": {"identity_provider_class": "gone.Gone"}}'),
        (".jupyter/jupyter_server_config.json", "{torn"),
        (".local/share/jupyter", "a file\n"),
    ],
)
def test_nothing_in_the_home_directory_stops_a_start(
    python: Path, hub: AnsweringHub, tmp_path: Path, path: str, text: str
) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        place = session.home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        session.announced_by(hub)
        assert session.get("lab")[0] == 200
        with kernel(session) as opened:
            opened.run("import fabric_lab")
        assert place.read_text() == text
        assert TOKEN not in session.log
        began = time.monotonic()
        session.process.terminate()
        assert session.process.wait(60) == 0
        assert time.monotonic() - began < 25, "Slurm kills what has not ended after 30 s"

"""A hub installed from its wheel needs no checkout: what it reads beside its code comes with the wheel.

The environment is a new one outside the checkout. Libraries are those of the environment that the tests run in, so
nothing is fetched for it; the wheel is what ``make dist`` builds from the tracked files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fabric_hub.images.wheel import build_wheel
from scripts import dist

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# Where an installed hub has what stands elsewhere in a checkout.
MOVED = {name: f"proxy/{Path(name).name}" for name in ("package.json", "package-lock.json")}
INSTALLED = ("images/", "packaging/", "jupyterhub_config.py", *MOVED)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with all that is released, built from the tracked files as they are now."""
    into = tmp_path_factory.mktemp("dist")
    staged = tmp_path_factory.mktemp("stage") / "fabric-hub"
    dist.stage(dist.ROOT, staged)
    dist.build(staged, into, build_wheel(dist.ROOT, print))
    return into


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [path] = built.glob("fabric_hub-*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel, and no way to the checkout."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin/python"
    uv = Path(sys.executable).with_name("uv")
    install = ["pip", "install", "--quiet", "--no-config", "--no-deps", "--offline"]
    subprocess.run([uv, *install, "--python", python, wheel], check=True)
    [packages] = home.glob("lib/python3*/site-packages")
    # one directory more to import from; .pth files in it, such as the checkout's, are not read
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Run:
    """Runs a program of the environment, with nothing of this process's Python, in a directory of its own."""

    def run(program: str, *arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in os.environ if not name.startswith(("PYTHON", "FABRIC_", "VIRTUAL"))}
        kept["PATH"] = f"{Path(sys.executable).parent}:/usr/bin:/bin"  # uv
        return subprocess.run(
            [environment / "bin" / program, *arguments],
            cwd=tmp_path,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


def test_the_wheel_holds_every_file_that_an_installed_hub_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    [names] = (text for name, text in held.items() if name.endswith(".dist-info/top_level.txt"))
    packages = tuple(f"{name}/" for name in names.decode().split())
    beside = wheel.name.removesuffix("-py3-none-any.whl") + ".data/data/share/fabric-hub/"
    tracked = [name.as_posix() for name in dist.tracked(dist.ROOT)]
    expected = {name: name for name in tracked if name.startswith(packages)}
    expected |= {name: beside + MOVED.get(name, name) for name in tracked if name.startswith(INSTALLED)}
    expected |= {
        name: beside + name.replace("packaging/", "", 1) for name in tracked if name.startswith("packaging/proxy/")
    }
    assert [name for name, where in expected.items() if where not in held] == []
    assert [name for name, where in expected.items() if held[where] != (dist.ROOT / name).read_bytes()] == []


def test_the_archive_of_sources_holds_every_tracked_file(built: Path) -> None:
    [archive] = built.glob("fabric_hub-*.tar.gz")
    listed = subprocess.run(["tar", "-tzf", archive], capture_output=True, text=True, check=True).stdout.splitlines()
    held = {name.partition("/")[2] for name in listed}
    assert [str(name) for name in dist.tracked(dist.ROOT) if str(name) not in held | {".gitignore"}] == []


def test_the_digests_are_those_of_what_is_released(built: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "--strict", dist.SUMS], cwd=built, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(list(built.iterdir())) - 1


def test_an_installed_hub_finds_its_own_files_and_none_of_a_checkout(run: Run, environment: Path) -> None:
    code = (
        "import fabric_hub.images.recipe as r; print(r.__file__, r.source_root(), *r.known(r.source_root()), sep='\\n')"
    )
    done = run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    module, root, *names = done.stdout.split()
    assert Path(module).is_relative_to(environment)
    assert Path(root) == environment / "share/fabric-hub"
    assert names == ["base", "pytorch", "science"]


def test_an_installed_hub_checks_the_example_of_a_site_file(run: Run, environment: Path, tmp_path: Path) -> None:
    example = (environment / "share/fabric-hub/packaging/site.example.toml").read_text()
    login, site = tmp_path / "login.py", tmp_path / "site.toml"
    login.touch()
    site.write_text(example.replace("/etc/fabric-hub/login.py", str(login)))
    done = run("fabric-hub", "check-config", "--site", site)
    assert done.returncode == 0, done.stdout + done.stderr


def test_doctor_of_an_installed_hub_looks_at_a_site_that_is_not_there_yet(run: Run, environment: Path) -> None:
    site = environment / "share/fabric-hub/packaging/site.example.toml"
    done = run("fabric-hub", "doctor", "--site", site)
    assert done.returncode == 1
    assert "gateway" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_nodes_program_comes_with_an_installed_hub(environment: Path) -> None:
    program = environment / "share/fabric-hub/shipped/fabric-node"
    done = subprocess.run([program, "--help"], env={}, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "prolog" in done.stdout


@pytest.mark.image
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_an_installed_hub_builds_image_base(run: Run, tmp_path: Path) -> None:
    done = run("fabric-hub", "images", "build", "base", "--images", tmp_path / "images", timeout_s=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "images/base/current/image.json").is_file()
    again = run("fabric-hub", "images", "build", "base", "--images", tmp_path / "images", "--check")
    assert again.stdout == "base: up to date\n"
    python = tmp_path / "images/base/current/bin/python"
    said = subprocess.run(
        [python, "-I", "-c", "import fabric_lab; print(fabric_lab.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == run("fabric-hub", "--version").stdout.split()[-1]
